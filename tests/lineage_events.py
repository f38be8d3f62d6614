"""Lineage events of tests: held against OpenLineage's own schemas, and read as a graph."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

Event: TypeAlias = dict[str, Any]
Dataset: TypeAlias = tuple[str, str]

_SPEC = Path(__file__).parent / "golden" / "openlineage_spec"
_EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_TERMINAL = frozenset({"COMPLETE", "FAIL", "ABORT"})


def read_events(file: Path) -> list[Event]:
    """The events of a local file."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def check_events(events: Iterable[Event]) -> None:
    """Hold every event, and each of its facets, against the published schemas; and all of them against one another."""
    listed = list(events)
    for event in listed:
        _validator(_EVENT).validate(event)
        for facet in _facets(event):
            _validator(facet["_schemaURL"]).validate(facet)
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    for run_id, of_run in by_run(listed).items():
        kinds = [event["eventType"] for event in of_run]
        assert (run_id, kinds[0], len(kinds)) == (run_id, "START", 2)
        assert kinds[1] in _TERMINAL
        start, end = of_run
        assert start["eventTime"] <= end["eventTime"]
        assert start["job"]["namespace"] == end["job"]["namespace"]
        assert start["job"]["name"] == end["job"]["name"]
        assert [ids(start, role) for role in ("inputs", "outputs")] == [
            ids(end, role) for role in ("inputs", "outputs")
        ]


def by_run(events: Iterable[Event]) -> dict[str, list[Event]]:
    """{run id: its events, in their order}."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event["run"]["runId"], []).append(event)
    return found


def ends(events: Iterable[Event]) -> dict[str, Event]:
    """{job: the last event that ended a run of it}."""
    return {event["job"]["name"]: event for event in events if event["eventType"] in _TERMINAL}


def ids(event: Event, role: str) -> list[Dataset]:
    """The datasets of an event: `inputs` or `outputs`."""
    return [(dataset["namespace"], dataset["name"]) for dataset in event[role]]


def edges(events: Iterable[Event]) -> set[tuple[Dataset, Dataset]]:
    """From each input of a job to each of its outputs."""
    return {(source, target) for event in events for source in ids(event, "inputs") for target in ids(event, "outputs")}


def assertions(event: Event) -> dict[str, list[Mapping[str, Any]]]:
    """{dataset that a test is about: what it found}."""
    facets = [(item["name"], item.get("inputFacets", {}).get("dataQualityAssertions")) for item in event["inputs"]]
    return {name: facet["assertions"] for name, facet in facets if facet}


def _facets(event: Event) -> Iterator[Mapping[str, Any]]:
    yield from event["run"]["facets"].values()
    yield from event["job"]["facets"].values()
    for dataset in (*event["inputs"], *event["outputs"]):
        for role in ("facets", "inputFacets", "outputFacets"):
            yield from dataset.get(role, {}).values()


@cache
def _registry() -> Registry[Any]:
    schemas = [json.loads(file.read_text()) for file in sorted(_SPEC.rglob("*.json"))]
    return Registry().with_resources([(schema["$id"], Resource.from_contents(schema)) for schema in schemas])


@cache
def _validator(url: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": url}, registry=_registry(), format_checker=Draft202012Validator.FORMAT_CHECKER)
