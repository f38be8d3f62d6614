"""The names of a project, for who needs them quickly: from floe.yaml, the artifacts and what was last loaded."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from floe_core.errors import FloeError
from floe_core.project import FLOE_DIR, ProjectFolder, write_whole
from floe_core.yaml_source import load_yaml

if TYPE_CHECKING:
    from floe_dagster.loading import LoadedProject

NAMES_FILE = "names.json"
"""In .floe: what Python modules define is known by importing them only, and that takes seconds."""

Section = Literal["jobs", "backfills", "sensors", "partitions"]


class KnownNames:
    """The names of one project; what cannot be read has none."""

    def __init__(self, project: ProjectFolder) -> None:
        self._project = project

    @property
    def jobs(self) -> list[str]:
        """Jobs of floe.yaml, then those of Python modules."""
        return _unique([*self._declared("jobs"), *self._loaded("jobs")])

    @property
    def backfills(self) -> list[str]:
        """Backfills of floe.yaml."""
        return _unique(self._declared("backfills"))

    @property
    def sensors(self) -> list[str]:
        """Sensors of floe.yaml, what backfills become, then those of Python modules and of partitions."""
        backfills = [f"{name}_backfill" for name in self._declared("backfills")]
        return _unique([*self._declared("sensors"), *backfills, *self._loaded("sensors")])

    @property
    def assets(self) -> list[str]:
        """Asset keys: of dbt, as it was compiled, and of everything as it was last loaded."""
        return _unique([*self._compiled_assets(), *self._loaded("assets")])

    def _declared(self, section: Section) -> list[str]:
        try:
            document = load_yaml(self._project.floe_yaml, keep_duplicates=True).value
        except FloeError:  # in the middle of a change: what was compiled before it
            document = _json_in(self._project.artifacts_file).get("document")
        return list(_mapping(_mapping(_mapping(document).get("orchestration")).get(section)))

    def _compiled_assets(self) -> Iterator[str]:
        for target in _mapping(_json_in(self._project.artifacts_file).get("dbt")).values():
            for node in _list(_mapping(_mapping(target).get("index")).get("nodes")):
                yield "/".join(map(str, _list(_mapping(node).get("key"))))

    def _loaded(self, family: Literal["assets", "jobs", "sensors"]) -> list[str]:
        return [str(name) for name in _list(_json_in(self._project.path / FLOE_DIR / NAMES_FILE).get(family))]


def remember_names(loaded: "LoadedProject") -> None:
    """Keep the names of what was loaded beside the artifacts; where that cannot be written, they are not kept."""
    names = {
        "assets": sorted(node.label for node in loaded.index.nodes.values()),
        "jobs": sorted(loaded.jobs),
        "sensors": sorted(sensor.name for sensor in loaded.definitions.sensors or ()),
    }
    file = loaded.project.path / FLOE_DIR / NAMES_FILE
    content = json.dumps(names).encode()
    with suppress(OSError):
        if not file.exists() or file.read_bytes() != content:
            write_whole(file, content)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _json_in(file: Path) -> Mapping[str, object]:
    """The mapping in *file*, taken as it is: names that are offered need no seal."""
    try:
        return _mapping(json.loads(file.read_bytes()))
    except (OSError, ValueError):
        return {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
