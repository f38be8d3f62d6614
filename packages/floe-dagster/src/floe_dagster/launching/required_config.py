"""Run config that a run must have and that nobody gives it, where no Launchpad comes between a tick and its run."""

from collections.abc import Iterable, Iterator, Mapping

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from floe_core.errors import Location, Problem
from floe_core.suggestions import list_names


def check_required_config(
    launched: object,
    definitions: Iterable[dg.AssetsDefinition],
    *,
    given: Mapping[str, object],
    subject: str,
    what: str,
    location: Location,
) -> Iterator[Problem]:
    """The ops of a launched job or selection that need config and get none.

    Nothing is told of jobs whose config is computed for each partition or by a function.

    Args:
        launched: The job or selection.
        definitions: The assets and checks that it launches; none of a job of ops.
        given: The run config that who launches it gives.
        subject: Who launches it, as messages say it: `schedule 'nightly'`.
        what: What is launched, as messages say it: `job 'load'`.
        location: Where the document says what is launched.
    """
    match launched:
        case dg.JobDefinition():
            lacking = [] if launched.partitioned_config is not None else list(_lacking_in(launched, given))
        case UnresolvedAssetJobDefinition(config=config) if not (config is None or isinstance(config, Mapping)):
            return
        case _:
            own = launched.config if isinstance(launched, UnresolvedAssetJobDefinition) else None
            known = {*_ops_in(given), *_ops_in(own if isinstance(own, Mapping) else {})}
            nodes = {definition.node_def.name: definition for definition in definitions if definition.is_executable}
            lacking = sorted(name for name in nodes.keys() - known if _needs_config(nodes[name]))
    if lacking:
        shown = list_names(repr(name) for name in lacking)
        yield Problem(
            "FLOE-353",
            f"{subject} launches {what} without run config for {shown}, which needs it",
            location,
            why="what it launches runs at once, and nobody fills it in as in the Launchpad",
            fix=f"give it in a 'config', as ops: {{{lacking[0]}: {{config: …}}}}, or defaults in the code",
        )


def _ops_in(config: Mapping[str, object]) -> Iterator[str]:
    ops = config.get("ops")
    yield from (str(name) for name in ops) if isinstance(ops, Mapping) else ()


def _needs_config(definition: dg.AssetsDefinition) -> bool:
    node = definition.node_def
    inner = [each for each in node.iterate_node_defs() if isinstance(each, dg.OpDefinition)]
    if not any(_is_required(op) for op in inner):
        return False
    if isinstance(node, dg.OpDefinition):
        return True
    stubs = dict.fromkeys(definition.required_resource_keys, dg.mem_io_manager)
    job = dg.GraphDefinition("required_config_check", node_defs=[node]).to_job(resource_defs=stubs)
    return bool(list(_lacking_in(job, {})))


def _is_required(op: dg.OpDefinition) -> bool:
    return op.config_schema.as_field().is_required


def _lacking_in(job: dg.JobDefinition, given: Mapping[str, object]) -> Iterator[str]:
    """The ops of *job* that Dagster misses in *given*."""
    try:
        dg.validate_run_config(job, dict(given))
    except dg.DagsterInvalidConfigError as error:
        for each in error.errors:
            path = [getattr(entry, "field_name", "") for entry in each.stack.entries]
            data = each.error_data
            names = list(getattr(data, "field_names", None) or [getattr(data, "field_name", "")])
            if not each.reason.name.startswith("MISSING_REQUIRED_FIELD"):
                continue
            if path == ["ops"]:
                yield from (name for name in names if name)
            elif not path and "ops" in names:
                yield from sorted(
                    op.name
                    for node in job.graph.nodes
                    for op in node.definition.iterate_node_defs()
                    if isinstance(op, dg.OpDefinition) and _is_required(op)
                )
