"""What the function of an ops job returns or yields, as Dagster's events and the metadata of its one output."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from floe_dagster.user_code.metadata_values import build_metadata_value
from floe_dagster.user_code.returned_items import items_of

_EVENTS = (dg.AssetMaterialization, dg.AssetObservation, dg.ExpectationResult)


def results_of(value: object) -> Iterator[object]:
    """Dagster's events for what a function returned, whatever its shape, and last its output.

    A dict is metadata; Dagster's events are passed on; an Output gives its metadata and its value; any other value is
    the metadata `result`. A coroutine is awaited, and generators are run to their end, value by value.
    """
    results = _Results()
    for item in items_of(value):
        yield from results.take(item)
    yield results.output()


@dataclass
class _Results:
    metadata: dict[str, dg.MetadataValue[Any]] = field(default_factory=dict)
    values: list[object] = field(default_factory=list)

    def take(self, value: object) -> Iterator[object]:
        match value:
            case None:
                pass
            case Mapping():
                self.metadata |= _metadata(value)
            case dg.Output():
                self.metadata |= value.metadata
                yield from self.take(value.value)
            case dg.MaterializeResult():
                yield from self._materialization(value)
            case _ if isinstance(value, _EVENTS):
                yield value
            case [*items] if items and all(isinstance(item, (*_EVENTS, dg.MaterializeResult)) for item in items):
                for item in items:
                    yield from self.take(item)
            case _:
                self.values.append(value)

    def output(self) -> "dg.Output[None]":
        if self.values:
            result = self.values[0] if len(self.values) == 1 else self.values
            self.metadata.setdefault("result", build_metadata_value(result))
        return dg.Output(None, metadata=self.metadata)

    def _materialization(self, result: "dg.MaterializeResult[Any]") -> Iterator[object]:
        metadata = _metadata(result.metadata or {})
        if result.asset_key is None:
            self.metadata |= metadata
        else:
            yield dg.AssetMaterialization(result.asset_key, metadata=metadata, tags=result.tags)


def _metadata(values: Mapping[Any, object]) -> dict[str, dg.MetadataValue[Any]]:
    return {str(name): build_metadata_value(value) for name, value in values.items()}
