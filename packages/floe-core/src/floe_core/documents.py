"""floe.yaml and platform.yaml: from a path to a validated document, with every problem in one report."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from floe_core.errors import (
    CompileError,
    InterpolationError,
    InvalidDocumentError,
    Problem,
    ProblemCollector,
    Severity,
    shown_path,
)
from floe_core.interpolation import UnsetVariable, interpolate
from floe_core.json_schemas import build_json_schema
from floe_core.names import RuleError, check_environment_name
from floe_core.project import ProjectFolder, folder_and_parents
from floe_core.schemas.floe_spec import FloeSpec, without_notes
from floe_core.schemas.platform_spec import PlatformSpec, embedded_platform
from floe_core.source_map import SourceMap
from floe_core.suggestions import list_names
from floe_core.validation_problems import Families, ValidatedDocument, describe_errors
from floe_core.yaml_source import load_yaml

PLATFORM_FILE_VARIABLE = "FLOE_PLATFORM_FILE"
PLATFORM_ENVIRONMENT_VARIABLE = "FLOE_PLATFORM_ENV"
LOCAL_ENVIRONMENT = "local"
_PLATFORM_YAML = "platform.yaml"

_FLOE_FAMILIES: Families = {
    ("orchestration", "asset_modules"): "asset module",
    ("orchestration", "partitions"): "partitions definition",
    ("orchestration", "assets"): "pattern",
    ("orchestration", "jobs"): "job",
    ("orchestration", "schedules"): "schedule",
    ("orchestration", "sensors"): "sensor",
    ("orchestration", "backfills"): "backfill",
    ("transforms",): "transform",
}
_PLATFORM_FAMILIES: Families = {
    ("storage",): "storage profile",
    ("catalogs",): "catalog profile",
    ("compute",): "compute profile",
    ("execution",): "execution profile",
    ("resources",): "resource",
}
_MOST_LINES = 8
_ENVIRON = os.environ  # noqa: TID251  # documents are where the environment is read

Spec = TypeVar("Spec", bound=BaseModel)


@dataclass(frozen=True)
class FloeDocument:
    """A validated floe.yaml.

    `raw` is the document with its `${…}` unresolved; values that need an unset variable stand in `spec` as `Unset`.
    """

    spec: FloeSpec
    source: SourceMap
    raw: object
    text: str
    unset: tuple[UnsetVariable, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class PlatformDocument:
    """A validated platform.yaml, or the embedded platform where there is none (`path` and `source` are None then)."""

    spec: PlatformSpec
    source: SourceMap | None
    path: Path | None
    environment: str
    unset: tuple[UnsetVariable, ...] = ()
    warnings: tuple[Problem, ...] = ()


def load_floe_document(path: Path, *, environ: Mapping[str, str] = _ENVIRON, strict_env: bool = False) -> FloeDocument:
    """Read and validate the floe.yaml at *path*.

    Args:
        path: The file.
        environ: Variables for its `${…}`.
        strict_env: Whether a variable that is needed and not set is an error. If not, it is a warning, and the values
            that need it are not checked.

    Raises:
        DocumentError: With everything that is wrong.
    """
    document = load_yaml(path)
    return build_floe_document(
        document.value,
        document.source,
        document.text,
        environ=environ,
        strict_env=strict_env,
        default_name=ProjectFolder(path.parent).name,
    )


def build_floe_document(
    raw: object,
    source: SourceMap,
    text: str = "",
    *,
    environ: Mapping[str, str] = _ENVIRON,
    strict_env: bool = False,
    default_name: str | None = None,
) -> FloeDocument:
    """Validate a floe.yaml that was parsed before, as compiled artifacts hold it.

    Args:
        raw: The parsed document, with its `${…}` unresolved.
        source: Where *raw* stands.
        text: The text of the file, where it is at hand.
        environ: Variables for its `${…}`.
        strict_env: See `load_floe_document`.
        default_name: Name of the project where the document gives none.

    Raises:
        DocumentError: With everything that is wrong.
    """
    interpolation = interpolate(without_notes(raw), environ=environ, source=source)
    document = ValidatedDocument(
        FloeSpec, interpolation, source, _FLOE_FAMILIES, "floe.yaml", {_PLATFORM_YAML: PlatformSpec}
    )
    spec, warnings = _validate(FloeSpec, document, strict_env=strict_env)
    if spec.name is None:
        spec = spec.model_copy(update={"name": default_name})
    return FloeDocument(spec, source, raw, text, interpolation.unset, warnings)


def load_platform_document(
    project_dir: Path, *, environ: Mapping[str, str] = _ENVIRON, strict_env: bool = True
) -> PlatformDocument:
    """Find, read and validate the platform.yaml of a project; without one, the embedded platform.

    The file is `FLOE_PLATFORM_FILE`, else `platform/$FLOE_PLATFORM_ENV/platform.yaml`, else `platform.yaml`, each
    looked for from the project folder upwards to the root of its repository (outside of one, of the file system). A
    variable that is set to nothing counts as not set.

    Args:
        project_dir: The folder of floe.yaml.
        environ: Variables for the search and for the document's `${…}`.
        strict_env: See `load_floe_document`.

    Raises:
        CompileError: A file is named and not there.
        DocumentError: With everything that is wrong in the file.
    """
    path = _find_platform_yaml(project_dir, environ)
    environment = environ.get(PLATFORM_ENVIRONMENT_VARIABLE) or LOCAL_ENVIRONMENT
    if path is None:
        return PlatformDocument(embedded_platform(), None, None, environment)
    parsed = load_yaml(path)
    interpolation = interpolate(without_notes(parsed.value), environ=environ, source=parsed.source)
    document = ValidatedDocument(
        PlatformSpec, interpolation, parsed.source, _PLATFORM_FAMILIES, _PLATFORM_YAML, {"floe.yaml": FloeSpec}
    )
    spec, warnings = _validate(PlatformSpec, document, strict_env=strict_env)
    return PlatformDocument(spec, parsed.source, path, environment, interpolation.unset, warnings)


def json_schema(kind: Literal["floe", "platform"]) -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of a document, for editors."""
    if kind == "floe":
        return build_json_schema(FloeSpec, title="floe.yaml")
    return build_json_schema(PlatformSpec, title=_PLATFORM_YAML)


def _validate(model: type[Spec], document: ValidatedDocument, *, strict_env: bool) -> tuple[Spec, tuple[Problem, ...]]:
    interpolation = document.interpolation
    problems = ProblemCollector((*interpolation.errors, *interpolation.warnings))
    problems.extend(_unset_problems(interpolation.unset, severity="error" if strict_env else "warning"))
    try:
        spec = model.model_validate(interpolation.value)
    except ValidationError as error:
        problems.extend(describe_errors(error, document))
        raise InvalidDocumentError(*problems.problems) from None  # pydantic's own text shows values
    problems.raise_if_any(InterpolationError)
    return spec, problems.warnings


def _unset_problems(unset: tuple[UnsetVariable, ...], *, severity: Severity) -> Iterator[Problem]:
    for variable in unset:
        lines = list(dict.fromkeys(str(location.line) for location in variable.locations))
        which = f"line{'s' if len(lines) > 1 else ''} {list_names(lines, limit=_MOST_LINES)}"
        yield Problem(
            "FLOE-111",
            f"environment variable '{variable.name}' is not set",
            variable.locations[0],
            why=f"{which} {'use' if len(lines) > 1 else 'uses'} it without a default",
            fix=f"set {variable.name}, or write a default: ${{{variable.name}:value}}",
            severity=severity,
        )


def _find_platform_yaml(project_dir: Path, environ: Mapping[str, str]) -> Path | None:
    named, environment = environ.get(PLATFORM_FILE_VARIABLE), environ.get(PLATFORM_ENVIRONMENT_VARIABLE)
    folders = list(_folders_to_search(project_dir))
    if named:
        # A path that a shell completed is relative to the working directory; that comes last, so that a project finds
        # the same file from everywhere.
        candidates = [folder / Path(named).expanduser() for folder in (*folders, Path.cwd())]
    else:
        names = [f"platform/{_checked_environment(environment)}/{_PLATFORM_YAML}"] if environment else []
        candidates = [folder / name for name in (*names, _PLATFORM_YAML) for folder in folders]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is not None or not (named or environment):
        return found
    variable, value = (PLATFORM_FILE_VARIABLE, named) if named else (PLATFORM_ENVIRONMENT_VARIABLE, environment)
    looked = list(dict.fromkeys(shown_path(candidate) for candidate in candidates))
    raise CompileError(
        Problem(
            "FLOE-230",
            f"{variable} is '{value}', and there is no such platform.yaml",
            detail="\n".join(f"looked for {place}" for place in looked),
            fix=f"make one of them, or unset {variable} to run on the embedded platform",
        )
    )


def _folders_to_search(project_dir: Path) -> Iterator[Path]:
    project = ProjectFolder(project_dir)
    root = project.repository_root
    for folder in folder_and_parents(Path(os.path.abspath(project_dir))):  # noqa: PTH100  # as the user named it
        yield folder
        if folder == root:
            return


def _checked_environment(name: str) -> str:
    try:
        return check_environment_name(name)
    except RuleError as error:
        what = f"{PLATFORM_ENVIRONMENT_VARIABLE} is '{name}', which names no environment"
        raise CompileError(Problem("FLOE-230", what, why=str(error), fix=error.fix)) from error
