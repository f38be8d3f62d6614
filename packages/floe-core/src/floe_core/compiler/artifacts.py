"""What `floe compile` hands to whoever loads definitions: floe.yaml as it is written, and the dbt index.

Artifacts hold neither values of the environment nor secrets nor anything of platform.yaml.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from floe_core.errors import ArtifactsError, Location, Problem, shown_path
from floe_core.project import MAKE_ROOM, is_disk_full, write_whole
from floe_core.schemas.floe_spec import without_notes
from floe_core.source_map import SourceMap
from floe_core.yaml_source import YamlDocument, load_foreign_yaml

FORMAT_VERSION = 1
_COMPILE = "run 'floe compile'"
_SEAL = re.compile(rb',"seal":"([0-9a-f]{64})"\}$')

_DBT_PATHS = {
    "model-paths": "models",
    "seed-paths": "seeds",
    "snapshot-paths": "snapshots",
    "macro-paths": "macros",
    "test-paths": "tests",
    "analysis-paths": "analyses",
    "function-paths": "functions",
}
_DBT_FILES = (
    "dbt_project.yml",
    "dependencies.yml",
    "packages.yml",
    "package-lock.yml",
    "selectors.yml",
    "profiles.yml",
    ".dbtignore",
)
_DBT_MAKES = {"packages-install-path": "dbt_packages", "target-path": "target", "log-path": "logs"}
_DBT_SUFFIXES = (".sql", ".py", ".csv", ".yml", ".yaml", ".md")
_LARGEST_SEED_THAT_DBT_HASHES = 1024 * 1024


class DbtTarget(BaseModel):
    """The dbt project as one target sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    digest: str = Field(description="The `dbt_project_digest` of what was parsed.")
    index: dict[str, object] = Field(description="JSON that belongs to the code which reads dbt; not looked into here.")


class CompiledArtifacts(BaseModel):
    """The versioned contract between the packages."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants", defer_build=True)

    version: int = Field(default=FORMAT_VERSION, description="Version of this format.")
    floe_version: str = Field(description="The floe that compiled.")
    project_name: str = Field(description="Name of the project where floe.yaml gives none.")
    floe_yaml_digest: str = Field(description="The `floe_yaml_digest` of what was compiled.")
    document: dict[str, object] = Field(description="floe.yaml with its `${…}` unresolved.")
    source: dict[str, object] = Field(description="The document's positions, as `SourceMap.to_json` gives them.")
    dbt: dict[str, DbtTarget] = Field(default={}, description="What was compiled of the dbt project, by target.")

    def source_map(self, file: Path) -> SourceMap:
        """Where the document's values stand in *file*.

        Raises:
            ArtifactsError: The positions are not in their form.
        """
        try:
            return SourceMap.from_json(self.source, file=file)
        except ValueError as error:
            raise ArtifactsError(_unreadable(f"its 'source' is {error}", Location(shown_path(file)))) from error

    def with_dbt_target(self, name: str, target: DbtTarget) -> "CompiledArtifacts":
        """The same artifacts with *target* added, or in place of what was compiled for that name before."""
        return self.model_copy(update={"dbt": {**self.dbt, name: target}})


def build_artifacts(document: YamlDocument, *, digest: str, project_name: str) -> CompiledArtifacts:
    """Artifacts of floe.yaml, without any dbt target.

    Args:
        document: The document, as it is written.
        digest: The file's `floe_yaml_digest`.
        project_name: Name of the project where the document gives none.
    """
    from importlib.metadata import version  # noqa: PLC0415  # loading definitions does not need it

    raw = without_notes(document.value)
    return CompiledArtifacts(
        floe_version=version("floe-core"),
        project_name=project_name,
        floe_yaml_digest=digest,
        document=raw if isinstance(raw, dict) else {},
        source=_without_lines_of_notes(document.source, raw).to_json(),
    )


def _without_lines_of_notes(source: SourceMap, raw: object) -> SourceMap:
    """*source* without the text of `x-…` keys, but for what aliases in *raw* repeat of them."""
    keys = {str(key) for key in source.root.children}
    kept = keys & set(raw) if isinstance(raw, Mapping) else set()
    needed = {line for key in kept for line in source.lines_of(key)}
    return source.without_lines({line for key in keys - kept for line in source.lines_of(key)} - needed)


def write_artifacts(artifacts: CompiledArtifacts, file: Path) -> None:
    """Write *artifacts* so that a reader finds the old file or the new one, whole, however many write at once.

    Raises:
        ArtifactsError: The file cannot be written.
    """
    try:
        write_whole(file, _sealed(artifacts.model_dump_json().encode()))
    except OSError as error:
        what = f"the compiled artifacts cannot be written: {error.strerror}"
        fix = MAKE_ROOM if is_disk_full(error) else "make the folder writable"
        raise ArtifactsError(Problem("FLOE-131", what, Location(shown_path(file)), fix=fix)) from error


def load_artifacts(file: Path) -> CompiledArtifacts:
    """Read what `write_artifacts` wrote.

    Raises:
        ArtifactsError: There is no such file, it is cut short, changed or of another make, or its format is not this
            one's.
    """
    location = Location(shown_path(file))
    try:
        content = _read_file(file)
        data = from_json(content, cache_strings="keys")
    except FileNotFoundError as error:
        what = "there are no compiled artifacts"
        raise ArtifactsError(Problem("FLOE-220", what, location, fix=_COMPILE)) from error
    except OSError as error:
        raise ArtifactsError(_unreadable(error.strerror or str(error), location)) from error
    except ValueError as error:
        raise ArtifactsError(_unreadable(f"it is not JSON: {error}", location)) from error
    artifacts = parse_artifacts(data, location=location)
    if not _is_sealed(content):
        raise ArtifactsError(_unreadable("something else than 'floe compile' changed it", location))
    return artifacts


def _read_file(file: Path) -> bytes:
    if stat.S_ISFIFO(file.stat().st_mode):  # reading would wait for a writer
        raise OSError(errno.EINVAL, "it is a pipe")
    return file.read_bytes()


def parse_artifacts(data: object, *, location: Location | None = None) -> CompiledArtifacts:
    """The artifacts in *data*, the value of their JSON; what dbt targets hold is taken as it is, and so is a seal.

    Raises:
        ArtifactsError: It is something else, or its format is not this one's.
    """
    if isinstance(data, dict):
        data = {name: value for name, value in data.items() if name != "seal"}
    found = data.get("version") if isinstance(data, dict) else None
    if isinstance(found, int) and found != FORMAT_VERSION:
        newer, compiler = found > FORMAT_VERSION, data.get("floe_version") if isinstance(data, dict) else None
        problem = Problem(
            "FLOE-223",
            f"the compiled artifacts have format {found}, and this floe reads format {FORMAT_VERSION}",
            location,
            why=f"floe {compiler} compiled them" if isinstance(compiler, str) else "",
            fix=f"update floe here, or {_COMPILE} with this floe" if newer else _COMPILE,
        )
        raise ArtifactsError(problem)
    try:
        return CompiledArtifacts.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = f"its '{where}' is missing or of another form" if where else "it is not a JSON object"
        raise ArtifactsError(_unreadable(reason, location)) from error


def _sealed(content: bytes) -> bytes:
    """The JSON object *content* with the digest of all that stands before it as its last entry."""
    begin = content.removesuffix(b"}")
    return begin + b',"seal":"' + hashlib.sha256(begin).hexdigest().encode() + b'"}'


def _is_sealed(content: bytes) -> bool:
    seal = _SEAL.search(content, max(0, len(content) - 100))
    return seal is not None and hashlib.sha256(content[: seal.start()]).hexdigest().encode() == seal[1]


def floe_yaml_digest(file: Path) -> str:
    """Digest of the bytes of floe.yaml.

    Raises:
        ArtifactsError: The file cannot be read.
    """
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise ArtifactsError(Problem("FLOE-130", what, Location(shown_path(file)))) from error


def dbt_project_digest(project_dir: Path, *, extra: Iterable[str] = ()) -> str:
    """Digest of the contents of every file that `dbt parse` reads; file times do not matter.

    Args:
        project_dir: Folder of dbt_project.yml.
        extra: What else the result of parsing depends on, such as the target's name.

    Source:
        dbt 1.11 reads SQL, Python, CSV, YAML and Markdown below the `*-paths` of dbt_project.yml and the project's own
        settings. Of installed packages their versions count, and the contents of those that are links to a folder. A
        seed over 1 MiB counts by its path; its size is added here.
    """
    digest = hashlib.sha256()
    for text in extra:
        _add(digest, "extra", text.encode())
    _add_dbt_project(digest, str(project_dir), seen=set())
    return digest.hexdigest()


def _add_dbt_project(digest: "hashlib._Hash", folder: str, *, seen: set[str]) -> None:
    seen.add(os.path.realpath(folder))
    for name in _DBT_FILES:
        if (content := _content_of(f"{folder}/{name}")) is not None:
            _add(digest, name, content)
    settings = load_foreign_yaml(Path(folder, "dbt_project.yml"))
    settings = settings if isinstance(settings, Mapping) else {}
    packages, *made_by_dbt = (f"{folder}/{settings.get(key, default)}" for key, default in _DBT_MAKES.items())
    seen.update(map(os.path.realpath, (packages, *made_by_dbt)))
    for path in _dbt_paths(settings):
        for name, file in sorted(_files_below(f"{folder}/{path}", name=path, seen=seen)):
            _add_file(digest, name, file)
    for package in sorted(_entries(packages), key=lambda entry: entry.name):
        if not package.is_symlink():
            _add(digest, package.name, _content_of(f"{package.path}/dbt_project.yml") or b"")
        elif os.path.realpath(package.path) not in seen:
            _add_dbt_project(digest, package.path, seen=seen)


def _dbt_paths(settings: Mapping[object, object]) -> Iterator[str]:
    for key, default in _DBT_PATHS.items():
        paths = settings.get(key, default)
        yield from map(str, paths if isinstance(paths, list) else [paths])


def _files_below(folder: str, *, name: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    """Name and path of every file below *folder* that dbt may read; no folder twice."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    for entry in _entries(folder):
        entry_name = f"{name}/{entry.name}"
        if entry.name.endswith(_DBT_SUFFIXES):
            yield entry_name, entry.path
        elif not entry.name.startswith(".") and entry.is_dir():
            yield from _files_below(entry.path, name=entry_name, seen=seen)


def _entries(folder: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _add_file(digest: "hashlib._Hash", name: str, file: str) -> None:
    content = _content_of(file, at_most=_LARGEST_SEED_THAT_DBT_HASHES if name.endswith(".csv") else None)
    if content is not None:
        _add(digest, name, content)


def _content_of(file: str, *, at_most: int | None = None) -> bytes | None:
    """The content of *file*, or its size where that is above *at_most*; None where there is no such file."""
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123  # thousands of files
            size = os.fstat(opened.fileno()).st_size
            return opened.readall() if at_most is None or size <= at_most else str(size).encode()
    except OSError:
        return None


def _add(digest: "hashlib._Hash", name: str, content: bytes) -> None:
    encoded = os.fsencode(name)
    digest.update(b"%d:%s%d:" % (len(encoded), encoded, len(content)))
    digest.update(content)


def _unreadable(reason: str, location: Location | None) -> Problem:
    return Problem("FLOE-222", f"the compiled artifacts cannot be read: {reason}", location, fix=_COMPILE)
