"""One tick of a sensor whose outcome is only shown."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.automation_condition_sensor_definition import _evaluate as evaluate_conditions
from dagster._core.definitions.dynamic_partitions_request import AddDynamicPartitionsRequest
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.execution.resources_init import get_transitive_required_resource_keys
from dagster._core.instance.types import CachingDynamicPartitionsLoader
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.asset_daemon import asset_daemon_cursor_from_instigator_serialized_cursor as read_cursor

from floe_core.errors import FloeError, Problem, RunError
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.running.code_locations import CodeLocation
from floe_dagster.running.requested_launches import check_launches
from floe_dagster.running.unwritten_instance import UnwrittenChanges, unwritten
from floe_dagster.user_code.modules import describe_user_error

_PARTITION = "dagster/partition"
_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
_RUN_KEY, _SENSOR = "dagster/run_key", "dagster/sensor_name"


class UnknownSensorError(RunError):
    """The command names a sensor that the project does not have."""

    exit_code = 2


@dataclass(frozen=True)
class RequestedRun:
    """A run that a tick asks for; `is_known` where one with its run key was launched, so that none would be again."""

    run_key: str | None
    job: str | None
    partition: str | None
    assets: tuple[str, ...]
    tags: Mapping[str, str]
    config: Mapping[str, object]
    is_known: bool = False


@dataclass(frozen=True)
class SensorTrial:
    """What one tick of a sensor would do.

    Args:
        sensor: Its name.
        runs: What it asks for.
        skip_reason: Why it asks for none.
        cursor: What it would remember; None where it leaves the cursor as it is.
        added: Dynamic partitions → keys that it would add.
        removed: Dynamic partitions → keys that it would remove.
        events: Keys of the assets of which it would report something.
        reacted_to: Ids of the runs for which it called its function.
        writes: What the sensor wrote to the instance by itself, by Dagster's names; nothing of it is kept.
    """

    sensor: str
    runs: tuple[RequestedRun, ...] = ()
    skip_reason: str | None = None
    cursor: str | None = None
    added: Mapping[str, Sequence[str]] = field(default_factory=dict)
    removed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    reacted_to: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


def find_sensor(location: CodeLocation, name: str, *, elsewhere: Mapping[str, Sequence[str]]) -> dg.SensorDefinition:
    """The sensor of that name.

    Args:
        location: The project's definitions.
        name: The sensor's name.
        elsewhere: Sensors that exist in other environments only, with these.

    Raises:
        UnknownSensorError: There is none.
    """
    sensors = {sensor.name: sensor for sensor in location.definition.sensor_defs}
    if name in sensors:
        return sensors[name]
    if name in elsewhere:
        problem = Problem(
            "FLOE-433",
            f"sensor '{name}' does not exist in this environment",
            why=f"its 'environments' are {list_names(elsewhere[name])}",
            fix=f"set FLOE_PLATFORM_ENV={elsewhere[name][0]}",
        )
    else:
        problem = Problem(
            "FLOE-433",
            f"there is no sensor '{name}'",
            why=f"the sensors are {list_names(sorted(sensors), limit=5)}",
            fix=did_you_mean(name, sensors) or "name one of them; `floe list sensors` shows those of floe.yaml",
        )
    raise UnknownSensorError(problem)


def try_sensor(
    sensor: dg.SensorDefinition, location: CodeLocation, instance: dg.DagsterInstance, *, cursor: str | None = None
) -> SensorTrial:
    """Evaluate *sensor* once; nothing that it does to *instance* is kept.

    Args:
        sensor: One of the sensors of *location*.
        location: The project's definitions.
        instance: What the sensor sees of runs, events and partition keys.
        cursor: What it remembers; nothing by default, as a new sensor.

    Raises:
        RunError: The tick fails: in the words of floe, or with the lines of the user's function. Or Dagster refuses a
            run that it asks for.
    """
    with unwritten(instance) as changes, _context(sensor, location, instance, cursor) as context:
        try:
            data = _evaluated(sensor, context)
        except FloeError:
            raise
        except Exception as error:  # a tick ends in whatever the user's function raises, as in the daemon
            raise RunError(
                Problem(
                    "FLOE-434",
                    f"the tick of sensor '{sensor.name}' fails with {type(error).__name__}",
                    why="the sensor's function raises it",
                    fix="mend the function; a tick that fails launches nothing, and the next one evaluates again",
                    detail=describe_user_error(error),
                )
            ) from error
    if not isinstance(sensor, dg.AutomationConditionSensorDefinition):
        problems = check_launches(data.run_requests or (), sensor, location.definition)
        if problems:
            raise RunError(*problems)
    return _trial(sensor, data, changes, instance, cursor)


def _context(
    sensor: dg.SensorDefinition, location: CodeLocation, instance: dg.DagsterInstance, cursor: str | None
) -> dg.SensorEvaluationContext:
    repository = location.definition
    available = repository.get_top_level_resources()
    keys = get_transitive_required_resource_keys(sensor.required_resource_keys, available)
    module = location.pointer.module_name
    context = dg.SensorEvaluationContext(
        instance_ref=None,
        cursor=cursor,
        repository_name=repository.name,
        repository_def=repository,
        instance=instance,
        sensor_name=sensor.name,
        resources={key: resource for key, resource in available.items() if key in keys},
        code_location_origin=InProcessCodeLocationOrigin(
            LoadableTargetOrigin(module_name=module), location_name=module
        ),
    )
    context._log_key = None  # noqa: SLF001 - else the log of the tick would be stored
    vars(context)["caching_dynamic_partitions_loader"] = CachingDynamicPartitionsLoader(instance)
    return context


def _evaluated(sensor: dg.SensorDefinition, context: dg.SensorEvaluationContext) -> SensorExecutionData:
    if not isinstance(sensor, dg.AutomationConditionSensorDefinition):
        return sensor.evaluate_tick(context)
    assert context.repository_def is not None
    try:
        read_cursor(context.cursor, context.repository_def.asset_graph)
    except (dg.DagsterError, ValueError, zlib.error) as error:  # it is packed and encoded
        raise RunError(
            Problem(
                "FLOE-394",
                f"sensor '{sensor.name}' has a cursor that it cannot read",
                why=f"it is none of a sensor that evaluates automation conditions: {error}",
                fix="copy it from the sensor's page in Dagster's UI, or leave --cursor out",
            )
        ) from error
    try:
        result = evaluate_conditions(sensor, context)
    except dg.DagsterInvalidInvocationError as error:
        why = str(error)
        raise RunError(
            Problem("FLOE-435", f"sensor '{sensor.name}' can be evaluated by the daemon only", why=why)
        ) from error
    return SensorExecutionData(
        run_requests=result.run_requests,
        skip_message=None if result.run_requests else "no automation condition asks for anything",
        cursor=result.cursor,
    )


def _trial(
    sensor: dg.SensorDefinition,
    data: SensorExecutionData,
    changes: UnwrittenChanges,
    instance: dg.DagsterInstance,
    cursor: str | None,
) -> SensorTrial:
    added = {name: list(keys) for name, keys in changes.added.items() if keys}
    removed = {name: list(keys) for name, keys in changes.removed.items() if keys}
    for request in data.dynamic_partitions_requests or ():
        into = added if isinstance(request, AddDynamicPartitionsRequest) else removed
        into.setdefault(request.partitions_def_name, []).extend(request.partition_keys)
    return SensorTrial(
        sensor.name,
        tuple(_requested(request, sensor, instance) for request in data.run_requests or ()),
        data.skip_message,
        None if data.cursor == cursor else data.cursor,
        added,
        removed,
        tuple(event.asset_key.to_user_string() for event in data.asset_events),
        tuple(each.dagster_run.run_id for each in data.dagster_run_reactions or () if each.dagster_run is not None),
        tuple(changes.writes),
    )


def _requested(request: dg.RunRequest, sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> RequestedRun:
    job = request.job_name
    if job is None and len(sensor.targets) == 1:
        job = sensor.targets[0].job_name
    start, end = (request.tags.get(tag) for tag in _RANGE)
    partition = request.partition_key or request.tags.get(_PARTITION) or (f"{start}..{end}" if start else None)
    assets = request.asset_selection or (request.asset_graph_subset.asset_keys if request.asset_graph_subset else ())
    known = request.run_key is not None and bool(
        instance.get_runs(dg.RunsFilter(tags={_RUN_KEY: request.run_key, _SENSOR: sensor.name}), limit=1)
    )
    return RequestedRun(
        request.run_key,
        None if job is None or job.startswith("__") else job,
        partition,
        tuple(sorted(key.to_user_string() for key in assets)),
        {name: value for name, value in request.tags.items() if name not in (_PARTITION, *_RANGE, _SENSOR)},
        dict(request.run_config),
        known,
    )
