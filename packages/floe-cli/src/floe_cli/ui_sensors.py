"""Switching a sensor on through Dagster's UI, which alone knows how the project is loaded there."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

_SECONDS = 20.0
_SENSORS = """
{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { ... on RepositoryLocation {
  repositories { name origin { repositoryLocationMetadata { key value } } sensors { name } } } } } } } }
"""
_START = """
mutation Start($selector: SensorSelector!) { startSensor(sensorSelector: $selector) { __typename } }
"""


@dataclass(frozen=True, slots=True)
class UiSensor:
    """A sensor that the UI at *url* shows."""

    url: str
    location: str
    repository: str
    name: str

    def switch_on(self) -> bool:
        """Switch it on; whether that worked."""
        selector = {
            "repositoryLocationName": self.location,
            "repositoryName": self.repository,
            "sensorName": self.name,
        }
        answer = cast("_Started | None", _ask(self.url, _START, {"selector": selector}))
        return answer is not None and answer["startSensor"]["__typename"] == "Sensor"


def find_ui_sensor(url: str, name: str, *, module_name: str, working_directory: Path) -> UiSensor | None:
    """The sensor called *name* in the code location of that module, if the UI at *url* shows it."""
    answer = cast("_Sensors | None", _ask(url, _SENSORS, {}))
    for location, repository in _repositories(answer) if answer is not None else ():
        metadata = {item["key"]: item["value"] for item in repository["origin"]["repositoryLocationMetadata"]}
        is_same = metadata.get("module_name") == module_name
        is_here = metadata.get("working_directory", str(working_directory)) == str(working_directory)
        if is_same and is_here and {"name": name} in repository["sensors"]:
            return UiSensor(url, location, repository["name"], name)
    return None


class _Named(TypedDict):
    name: str


class _Metadata(TypedDict):
    key: str
    value: str


class _Origin(TypedDict):
    repositoryLocationMetadata: list[_Metadata]


class _Repository(TypedDict):
    name: str
    origin: _Origin
    sensors: list[_Named]


class _Location(TypedDict, total=False):
    repositories: list[_Repository]  # not where it failed to load


class _Entry(TypedDict):
    name: str
    locationOrLoadError: _Location | None


class _Workspace(TypedDict, total=False):
    locationEntries: list[_Entry]


class _Sensors(TypedDict):
    workspaceOrError: _Workspace


class _Started(TypedDict):
    startSensor: dict[str, str]


def _repositories(answer: _Sensors) -> Iterator[tuple[str, _Repository]]:
    for entry in answer["workspaceOrError"].get("locationEntries", []):
        for repository in (entry["locationOrLoadError"] or {}).get("repositories", []):
            yield entry["name"], repository


def _ask(url: str, query: str, variables: Mapping[str, object]) -> object:
    """The data that the UI answers with; None where it does not answer, or with errors alone."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - the address that `floe dev` noted
    with suppress(OSError, ValueError), urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - as above
        return json.load(response).get("data")
    return None
