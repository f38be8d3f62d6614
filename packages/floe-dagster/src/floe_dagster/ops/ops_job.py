"""A job over one function, op or graph."""

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from floe_core.errors import LoadError, Location, Problem, ProblemCollector, TargetError, YamlPath
from floe_core.schemas.job_definition import OpsJob
from floe_core.source_map import SourceMap
from floe_dagster.asset_settings.op_fields import build_retry_policy
from floe_dagster.launching.launchable import check_asked_resources
from floe_dagster.ops.configured_nodes import OwnConfig, configure_graph, configure_op
from floe_dagster.ops.function_op import build_function_op
from floe_dagster.targets import load_target
from floe_dagster.user_code.arguments import FunctionArguments


@dataclass(frozen=True)
class OpsJobPlace:
    """An ops job of a document, and what is there beside it.

    Args:
        name: The job's.
        job: What the document says.
        source: The document.
        node_names: Names that ops of assets have.
        resources: Keys of all resources; None where they are not known.
    """

    name: str
    job: OpsJob
    source: SourceMap
    node_names: Collection[str] = ()
    resources: Collection[str] | None = None

    @property
    def subject(self) -> str:
        """The job as messages say it."""
        return f"job '{self.name}'"

    @property
    def path(self) -> YamlPath:
        """Where the document has it."""
        return ("orchestration", "jobs", self.name)

    def locate(self, *path: str | int) -> Location:
        """Where the document has something of it."""
        return self.source.locate(*self.path, *path)


def build_ops_job(place: OpsJobPlace) -> dg.JobDefinition:
    """Build the job; nothing of the user's function runs.

    Its `args` are defaults of the config: run config that sets one of them leaves the others.

    Raises:
        LoadError: The target is nothing that an op can be made of, or does not take the arguments.
    """
    location = place.locate("target_function")
    target = load_target(place.job.target_function, location=location)
    match target:
        case dg.GraphDefinition():
            graph = configure_graph(target, _own_config(place), name=place.name)
            return _define_job(place, graph, asked=_asked_by(target))
        case dg.OpDefinition():
            op = configure_op(target, _own_config(place), name=_definition_name(place, target.name))
            return _define_job(place, _graph_of(place, op, target.name), asked=target.required_resource_keys)
        case _:
            problem = _not_runnable(place, target, location)
            if problem is not None:
                raise TargetError(problem)
            assert callable(target)
            return _build_function_job(place, target)


def _build_function_job(place: OpsJobPlace, fn: Callable[..., object]) -> dg.JobDefinition:
    reference, args = place.job.target_function, place.job.args
    function = FunctionArguments.of(reference, fn, given=args, resources=place.resources)
    problems = function.check(args, subject=place.subject, source=place.source, path=(*place.path, "args"))
    ProblemCollector(problems).raise_if_any(LoadError)
    name = re.sub(r"\W+", "_", function.source.name).strip("_")  # a lambda is called '<lambda>'
    op = build_function_op(_definition_name(place, name), function, args=args)
    return _define_job(place, _graph_of(place, op, name), asked=function.parameters.resource_keys, fn=fn)


def _define_job(
    place: OpsJobPlace,
    graph: dg.GraphDefinition,
    *,
    asked: Collection[str],
    fn: Callable[..., object] | None = None,
) -> dg.JobDefinition:
    job, location = place.job, place.locate("target_function")
    who = f"'{job.target_function}'"
    asked_problems = check_asked_resources(asked, who=who, resources=place.resources, location=location, fn=fn)
    ProblemCollector(asked_problems).raise_if_any(LoadError)
    try:
        return graph.to_job(
            name=place.name,
            description=job.description,
            tags=job.tags,
            op_retry_policy=None if job.retry_policy is None else build_retry_policy(job.retry_policy),
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise LoadError(Problem("FLOE-350", f"Dagster refuses {place.subject}: {error}", place.locate())) from error


def _graph_of(place: OpsJobPlace, op: dg.OpDefinition, alias: str) -> dg.GraphDefinition:
    """The op under the name that its author gave it, with the retry policy of the document where there is one."""
    policy = place.job.retry_policy
    invocation = dg.NodeInvocation(
        op.name, alias=alias, retry_policy=None if policy is None else build_retry_policy(policy)
    )
    description = place.job.description or op.description
    return dg.GraphDefinition(place.name, description=description, node_defs=[op], dependencies={invocation: {}})


def _definition_name(place: OpsJobPlace, name: str) -> str:
    """A name that no other op has: two jobs over one function have different defaults."""
    own = f"{place.name}__{name}"
    while own in place.node_names:
        own += "_op"
    return own


def _own_config(place: OpsJobPlace) -> OwnConfig:
    return OwnConfig(place.job.target_function, place.subject, place.job.args, place.source, place.path)


def _asked_by(graph: dg.GraphDefinition) -> set[str]:
    ops = (node for node in graph.iterate_node_defs() if isinstance(node, dg.OpDefinition))
    return {key for op in ops for key in op.required_resource_keys}


def _not_runnable(place: OpsJobPlace, target: object, location: Location) -> Problem | None:
    """Why no op can be made of *target*, if none can."""
    reference = place.job.target_function
    kind, fix = next(_other_kinds(target, reference), ("", ""))
    if not kind:
        return None
    return Problem(
        "FLOE-312",
        f"{place.subject} runs '{reference}', which is {kind}",
        location,
        why="an ops job runs a function, an op or a graph",
        fix=fix,
    )


def _other_kinds(target: object, reference: str) -> Iterator[tuple[str, str]]:
    module = reference.rpartition(".")[0]
    kinds: Mapping[str, tuple[type, ...]] = {
        "a job": (dg.JobDefinition, UnresolvedAssetJobDefinition),
        "a schedule": (dg.ScheduleDefinition,),
        "a sensor": (dg.SensorDefinition,),
    }
    for kind, classes in kinds.items():
        if isinstance(target, classes):
            loaded = f"list '{module}' under orchestration.asset_modules"
            yield f"{kind} of its own", f"{loaded} and name it in schedules and sensors" if kind == "a job" else loaded
    if isinstance(target, dg.AssetsDefinition):
        yield "an asset", "select it with a job of type batch"
    elif inspect.isclass(target):
        yield "a class", "name a function"
    elif not callable(target):
        yield f"of type {type(target).__name__}", "name a function"
