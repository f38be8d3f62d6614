"""Ops and graphs of the user's with the arguments of a job as defaults of their config."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._config import ConfigTypeKind
from dagster._core.definitions.definition_config_schema import DefinitionConfigSchema
from dagster._core.definitions.node_definition import NodeDefinition

from floe_core.errors import LoadError, Problem, ProblemCollector, YamlPath
from floe_core.source_map import SourceMap
from floe_core.suggestions import list_names
from floe_dagster.asset_settings.op_config import check_default_config, with_defaults
from floe_dagster.launching.run_config import RunConfigPlace, check_op_config
from floe_dagster.user_code.arguments import CODE

_ARGS = "args"


@dataclass(frozen=True)
class OwnConfig:
    """The arguments that a job of a document gives to an op or graph of the user's.

    Args:
        reference: The op or graph as the document names it.
        subject: The job, as messages say it.
        args: The arguments.
        source: The document.
        path: Where the job stands.
    """

    reference: str
    subject: str
    args: Mapping[str, object]
    source: SourceMap
    path: YamlPath

    @property
    def place(self) -> RunConfigPlace:
        """Where problems of the arguments stand."""
        return RunConfigPlace(self.subject, self.source, self.path, config_key=_ARGS)

    def problem(self, what: str, *, why: str, fix: str) -> Problem:
        """A problem of the op or graph as a whole."""
        return Problem(CODE, f"{self.subject} {what}", self.source.locate(*self.path, _ARGS), why=why, fix=fix)


def configure_op(op: dg.OpDefinition, config: OwnConfig, *, name: str) -> dg.OpDefinition:
    """The op under another name, its config filled in.

    Raises:
        LoadError: It does not take the arguments, needs more of them, or needs inputs.
    """
    problems = ProblemCollector(_check_inputs(op, config))
    problems.raise_if_any(LoadError)
    if config.args:
        problems.extend(check_default_config(config.args, op=op, place=config.place))
        problems.raise_if_any(LoadError)
    schema = _configured(op.config_schema, config) if isinstance(op.config_schema, DefinitionConfigSchema) else None
    if schema is None:
        return op.copy_for_configured(name, op.description, op.config_schema)
    problems.extend(_check_whole(schema, config))
    problems.raise_if_any(LoadError)
    return op.copy_for_configured(name, op.description, schema)


def configure_graph(graph: dg.GraphDefinition, config: OwnConfig, *, name: str) -> dg.GraphDefinition:
    """The graph under another name, the config of its mapping filled in.

    Raises:
        LoadError: As `configure_op`, or there are arguments and no mapping.
    """
    problems = ProblemCollector(_check_inputs(graph, config))
    mapping = graph.config_mapping
    if mapping is None:
        if config.args:
            problems.add(
                config.problem(
                    f"gives the graph '{config.reference}' arguments, and it has no config of its own",
                    why="args become the config of a graph, which a config mapping hands to its ops",
                    fix="give the graph one: @dg.graph(config=mapping), or move args to the ops",
                )
            )
        problems.raise_if_any(LoadError)
        return graph.copy(name=name)
    if config.args:
        config_type = mapping.config_schema.as_field().config_type
        problems.extend(check_op_config(config.args, config_type=config_type, place=config.place))
    problems.raise_if_any(LoadError)
    schema = _configured(mapping.config_schema, config)
    problems.extend(_check_whole(schema, config))
    problems.raise_if_any(LoadError)
    return graph.copy_for_configured(name, graph.description, schema)


def _configured(schema: object, config: OwnConfig) -> DefinitionConfigSchema:
    assert isinstance(schema, DefinitionConfigSchema)
    return with_defaults(schema, config.args) if config.args else schema


def _check_whole(schema: DefinitionConfigSchema, config: OwnConfig) -> list[Problem]:
    """What is needed and not given: nobody else gives it to every run."""
    config_type = schema.as_field().config_type
    if not ConfigTypeKind.is_shape(config_type.kind):
        return []
    fields: Mapping[str, dg.Field] = getattr(config_type, "fields", {})
    missing = [name for name, field in fields.items() if field.is_required]
    if not missing:
        return []
    shown = list_names(f"'{name}'" for name in missing)
    what = f"does not give '{config.reference}' the argument{'s' if len(missing) > 1 else ''} {shown}"
    return [config.problem(what, why="its config has no default for it", fix=f"add it: args: {{{missing[0]}: …}}")]


def _check_inputs(node: NodeDefinition, config: OwnConfig) -> list[Problem]:
    needed = [
        each.name
        for each in node.input_defs
        if not each.dagster_type.is_nothing and not node.input_has_default(each.name)
    ]
    if not needed:
        return []
    shown = list_names(f"'{name}'" for name in needed)
    return [
        config.problem(
            f"runs '{config.reference}', which takes the input{'s' if len(needed) > 1 else ''} {shown}",
            why="an input of an op or graph is the value of another op; args become its config",
            fix="take it from the config: a parameter `config` of a class derived from dagster.Config, "
            "or name the plain function",
        )
    ]
