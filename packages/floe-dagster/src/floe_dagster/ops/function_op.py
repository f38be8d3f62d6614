"""A plain function as an op, its arguments as the op's config."""

import inspect
from collections.abc import Iterator, Mapping

import dagster as dg

from floe_core.errors import Problem, render_problem
from floe_dagster.ops.op_results import results_of
from floe_dagster.user_code.argument_config import config_schema_of
from floe_dagster.user_code.argument_values import ArgumentError
from floe_dagster.user_code.arguments import CODE, FunctionArguments
from floe_dagster.user_code.tracebacks import UsersTraceback


def build_function_op(name: str, function: FunctionArguments, *, args: Mapping[str, object]) -> dg.OpDefinition:
    """An op that calls *function*.

    Args:
        name: Of the op.
        function: What it takes; nothing of it runs before the op does.
        args: The defaults of the op's config, which a run may change one by one.
    """
    keys = function.parameters.resource_keys

    def compute(context: dg.OpExecutionContext) -> Iterator[object]:
        with UsersTraceback():
            try:
                bound = function.bind(context.op_config, is_processed=True)
            except ArgumentError as error:
                raise _wrong_config(function, error) from None
            resources = context.resources.original_resource_dict
            yield from results_of(function.call(bound, context=context, resources=resources))

    return dg.op(
        name=name,
        description=inspect.getdoc(function.fn),
        config_schema=config_schema_of(function, args),
        required_resource_keys=set(keys),
        out=dg.Out(dg.Nothing),
    )(compute)


def _wrong_config(function: FunctionArguments, error: ArgumentError) -> dg.Failure:
    path = ".".join(map(str, error.path))
    problem = Problem(
        CODE,
        f"the run's config gives '{function.reference}' a value at {path or 'its root'} that it does not take",
        function.source.location,
        why=str(error),
        fix=error.fix or "change the config in the Launchpad, or in what launches the run",
    )
    return dg.Failure(description=render_problem(problem), allow_retries=False)
