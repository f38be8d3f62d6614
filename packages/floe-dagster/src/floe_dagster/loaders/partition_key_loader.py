"""Dynamic partitions with `fn`: sensors that keep the keys of the instance in step with what the function returns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from floe_core.errors import LoadError, Problem, ProblemCollector, SensorError, YamlPath
from floe_core.names.rules import RuleError
from floe_core.schemas.partition_definition import (
    DynamicPartitions,
    MultiPartitions,
    PartitionDefinition,
    dynamic_name,
)
from floe_core.source_map import SourceMap
from floe_dagster.launching.called_function import CalledFunction, load_called_function
from floe_dagster.partitioning.dynamic_keys import compare_keys, read_keys
from floe_dagster.user_code.function_source import FunctionSource
from floe_dagster.user_code.tracebacks import UsersTraceback


def build_partition_key_sensors(
    partitions: Mapping[str, PartitionDefinition], *, source: SourceMap, resources: Mapping[str, object] | None = None
) -> dict[str, dg.SensorDefinition]:
    """Build a running sensor for every definition or dimension of dynamic partitions that has a function.

    Args:
        partitions: `orchestration.partitions`.
        source: Where floe.yaml stands.
        resources: All resources of the definitions; without them, what functions ask for is not checked.

    Returns:
        {name of the sensor: sensor}

    Raises:
        LoadError: A function does not exist, or asks for what nothing provides; all problems at once.
    """
    collector = ProblemCollector()
    sensors: dict[str, dg.SensorDefinition] = {}
    for keys in _kept_keys(partitions):
        with collector.collecting():
            sensors[keys.sensor_name] = keys.build_sensor(source, resources)
    collector.raise_if_any(LoadError)
    return sensors


@dataclass(frozen=True)
class _KeptKeys:
    """Dynamic keys under the name that they have in the instance, and what the document says of them at *path*."""

    name: str
    path: YamlPath
    partition: DynamicPartitions
    reference: str

    @property
    def sensor_name(self) -> str:
        return f"{self.name}_partition_keys"

    @property
    def is_dimension(self) -> bool:
        return len(self.path) > 1

    def build_sensor(self, source: SourceMap, resources: Mapping[str, object] | None) -> dg.SensorDefinition:
        location = source.locate("orchestration", "partitions", *self.path, "fn")
        use = f"dynamic partitions '{self.name}' take their keys from"
        function = load_called_function(self.reference, use=use, location=location, resources=resources)

        def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
            with UsersTraceback(at=location):
                return self.keep(function, context)

        also = ", and removes all others" if self.partition.remove_missing else ""
        return dg.SensorDefinition(
            name=self.sensor_name,
            evaluation_fn=evaluate,
            minimum_interval_seconds=self.partition.poll_interval_seconds,
            default_status=dg.DefaultSensorStatus.RUNNING,
            description=f"Adds the partition keys that {self.reference} returns to '{self.name}'{also}.",
            required_resource_keys=set(function.resource_keys),
        )

    def keep(self, function: CalledFunction, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """What one tick changes.

        Raises:
            SensorError: What the function returns are no partition keys. The next tick asks it again.
        """
        try:
            wanted = read_keys(function.call(context), of_dimension=self.is_dimension)
        except RuleError as error:
            raise SensorError(
                Problem(
                    "FLOE-341",
                    f"function '{self.reference}' returns no partition keys for '{self.name}'",
                    FunctionSource.of(function.fn).location,
                    why=str(error),
                    fix=error.fix,
                )
            ) from error
        definition = dg.DynamicPartitionsDefinition(name=self.name)
        existing = context.instance.get_dynamic_partitions(self.name)
        change = compare_keys(wanted, existing, remove_missing=self.partition.remove_missing)
        if not change:
            return dg.SkipReason(f"no new keys from {self.reference}, which returned {len(wanted)}")
        requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
        if change.added:
            requests.append(definition.build_add_request(list(change.added)))
        if change.removed:
            requests.append(definition.build_delete_request(list(change.removed)))
        return dg.SensorResult(dynamic_partitions_requests=requests, skip_reason=dg.SkipReason(str(change)))


def _kept_keys(partitions: Mapping[str, PartitionDefinition]) -> Iterator[_KeptKeys]:
    for name, partition in partitions.items():
        if isinstance(partition, DynamicPartitions) and partition.fn is not None:
            yield _KeptKeys(dynamic_name(name), (name,), partition, partition.fn)
        elif isinstance(partition, MultiPartitions):
            for dimension, keys in partition.partitions.items():
                if isinstance(keys, DynamicPartitions) and keys.fn is not None:
                    path = (name, "partitions", dimension)
                    yield _KeptKeys(dynamic_name(name, dimension), path, keys, keys.fn)
