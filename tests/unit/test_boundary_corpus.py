"""How many secrets and places the boundary finds, and how often it takes something harmless for one."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from floe_core.compiler.boundary import CREDENTIAL_VALUE, check_boundary
from floe_core.source_map import Position, SourceMap
from floe_core.yaml_source import parse_yaml

GOLDEN = Path(__file__).parents[1] / "golden"
SOURCE = SourceMap("floe.yaml", ("",), Position(1, 1))
LEAST_FOUND = 0.98
MOST_FALSE_ALARMS = 0.02

HOLDERS = {
    "args": ("jobs", "one", "args"),
    "tags": ("jobs", "one", "tags"),
    "description": ("jobs", "one", "description"),
    "target_function": ("jobs", "one", "target_function"),
    "selection": ("jobs", "two", "selection", 0),
    "config": ("jobs", "two", "config"),
    "vars": ("dbt", "vars"),
    "dbt": ("dbt",),
    "assets": ("assets", "bronze_*"),
    "metadata": ("assets", "bronze_*", "metadata"),
    "owners": ("assets", "bronze_*", "owners", 0),
    "condition": ("assets", "bronze_*", "automation_condition"),
    "partition_keys": ("partitions", "shops", "partition_keys", 0),
    "partitions": ("partitions", "daily"),
    "fmt": ("partitions", "daily", "fmt"),
    "timezone": ("partitions", "daily", "timezone"),
    "cron": ("schedules", "daily", "cron_schedule"),
    "sensors": ("sensors", "poll"),
    "asset_modules": ("asset_modules", 0),
}
"""The first word of a place in the corpus, and what it stands for below `orchestration`."""


class Specimen(NamedTuple):
    """One value of the corpus, with the place that it stands at."""

    place: str
    value: object


@pytest.mark.parametrize(
    ("corpus", "least"),
    [("boundary_corpus", 200), ("boundary_held_out", 80)],
    ids=["the corpus that the rules were made with", "one that was written before them"],
)
def test_nearly_everything_planted_is_found_and_hardly_anything_else(
    corpus: str, least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets, places, harmless = (read_corpus(corpus, half) for half in ("secrets", "places", "harmless"))

    missed = [specimen for specimen in secrets if CREDENTIAL_VALUE not in codes_of(specimen)]
    missed += [specimen for specimen in places if not codes_of(specimen)]
    alarms = [specimen for specimen in harmless if codes_of(specimen)]

    planted = len(secrets) + len(places)
    with capsys.disabled():
        print(f"\n{corpus}: found {planted - len(missed)} of {planted} secrets and places", end="")
        print(f", {len(alarms)} false alarms on {len(harmless)} harmless values")
    assert planted >= least
    assert len(harmless) >= least
    assert 1 - len(missed) / planted >= LEAST_FOUND, missed
    assert len(alarms) / len(harmless) <= MOST_FALSE_ALARMS, alarms


def read_corpus(name: str, half: str) -> list[Specimen]:
    file = GOLDEN / f"{name}.yaml"
    groups = parse_yaml(file.read_text(encoding="utf-8").replace("¦", ""), file=file).value
    assert isinstance(groups, dict)
    entries = [entry for group in groups[half].values() for entry in group]
    return [Specimen(place, value) for entry in entries for place, value in entry.items()]


def codes_of(specimen: Specimen) -> set[str]:
    value = specimen.value
    for part in reversed(list(path_of(specimen.place))):
        value = [value] if isinstance(part, int) else {part: value}
    return {problem.code for problem in check_boundary(value, SOURCE)}


def path_of(place: str) -> Iterator[str | int]:
    first, *rest = place.split(".")
    yield "orchestration"
    yield from HOLDERS[first]
    yield from (int(part) if part.isdigit() else part for part in rest)
