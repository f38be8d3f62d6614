"""floe.yaml and platform.yaml: from a path to a validated document, with every problem in one report."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

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
from floe_core.names.identifiers import check_environment_name
from floe_core.names.rules import RuleError
from floe_core.project import ProjectFolder, folder_and_parents
from floe_core.schemas.floe_spec import FloeSpec, without_notes
from floe_core.source_map import SourceMap
from floe_core.suggestions import list_names
from floe_core.validated_document import Families, Spec, ValidatedDocument
from floe_core.validation import validate_document
from floe_core.yaml_source import load_yaml
from floe_core.yaml_text.values import Comment

if TYPE_CHECKING:
    from floe_core.schemas.platform_spec import PlatformSpec

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
_INTERPOLATION_CODES = ("FLOE-110", "FLOE-111", "FLOE-113")
_ENVIRON = os.environ  # noqa: TID251  # documents are where the environment is read


@dataclass(frozen=True)
class FloeDocument:
    """A floe.yaml that was read.

    `raw` is the document with its `${…}` unresolved, `values` with them resolved. What needs an unset variable stands
    in `values` and `spec` as `Unset`, and so does what is wrong by `errors`.
    """

    spec: FloeSpec
    source: SourceMap
    raw: object
    values: object
    text: str
    unset: tuple[UnsetVariable, ...] = ()
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True)
class PlatformDocument:
    """A platform.yaml that was read, or the embedded platform without one (`path` and `source` are None then).

    Values that need an unset variable stand in `spec` as `Unset`, and so do those that are wrong by `errors`.
    """

    written: "PlatformSpec | None"
    source: SourceMap | None
    path: Path | None
    environment: str
    unset: tuple[UnsetVariable, ...] = ()
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @cached_property
    def spec(self) -> "PlatformSpec":
        """What it says, or the embedded platform."""
        if self.written is not None:
            return self.written
        # Importing it is a tenth of what `floe validate --schema-only` takes, which does without in most projects.
        from floe_core.schemas.platform_spec import embedded_platform  # noqa: PLC0415

        return embedded_platform()


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
    document = read_floe_document(path, environ=environ, strict_env=strict_env)
    _raise_errors(document)
    return document


def read_floe_document(path: Path, *, environ: Mapping[str, str] = _ENVIRON, strict_env: bool = False) -> FloeDocument:
    """The same, for who goes on with what is right in a document that has errors.

    Raises:
        DocumentError: Nothing in the file can be made out.
    """
    parsed = load_yaml(path, keep_duplicates=True)
    document = read_parsed_document(
        parsed.value,
        parsed.source,
        parsed.text,
        environ=environ,
        strict_env=strict_env,
        default_name=ProjectFolder(path.parent).name,
    )
    return replace(document, errors=(*parsed.duplicates, *document.errors), comments=parsed.comments)


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
    document = read_parsed_document(
        raw, source, text, environ=environ, strict_env=strict_env, default_name=default_name
    )
    _raise_errors(document)
    return document


def read_parsed_document(
    raw: object,
    source: SourceMap,
    text: str = "",
    *,
    environ: Mapping[str, str] = _ENVIRON,
    strict_env: bool = False,
    default_name: str | None = None,
) -> FloeDocument:
    """The same, for who goes on with what is right in a document that has errors.

    Raises:
        DocumentError: Nothing in it can be made out.
    """
    interpolation = interpolate(without_notes(raw), environ=environ, source=source)
    document = ValidatedDocument(
        FloeSpec, interpolation, source, _FLOE_FAMILIES, "floe.yaml", {_PLATFORM_YAML: _platform_model}
    )
    spec, values, problems = _validate(document, strict_env=strict_env)
    if spec.name is None:
        spec = spec.model_copy(update={"name": default_name})
    return FloeDocument(spec, source, raw, values, text, interpolation.unset, problems.errors, problems.warnings)


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
    document = read_platform_document(project_dir, environ=environ, strict_env=strict_env)
    _raise_errors(document)
    return document


def read_platform_document(
    project_dir: Path, *, environ: Mapping[str, str] = _ENVIRON, strict_env: bool = True
) -> PlatformDocument:
    """The same, for who goes on with what is right in a document that has errors.

    Raises:
        CompileError: A file is named and not there.
        DocumentError: Nothing in the file can be made out.
    """
    path = _find_platform_yaml(project_dir, environ)
    environment = environ.get(PLATFORM_ENVIRONMENT_VARIABLE) or LOCAL_ENVIRONMENT
    if path is None:
        return PlatformDocument(None, None, None, environment)
    parsed = load_yaml(path, keep_duplicates=True)
    interpolation = interpolate(without_notes(parsed.value), environ=environ, source=parsed.source)
    document = ValidatedDocument(
        _platform_model(), interpolation, parsed.source, _PLATFORM_FAMILIES, _PLATFORM_YAML, {"floe.yaml": _floe_model}
    )
    spec, _, problems = _validate(document, strict_env=strict_env)
    # Only projects with a platform.yaml pay for it.
    from floe_core.document_secrets import tell_secrets  # noqa: PLC0415

    told = (*parsed.duplicates, *problems.problems)
    shown = tell_secrets(document, parsed.value, told, comments=parsed.comments)
    errors = tuple(problem for problem in shown.problems if problem.severity == "error")
    warnings = tuple(problem for problem in shown.problems if problem.severity == "warning")
    return PlatformDocument(spec, shown.source, path, environment, interpolation.unset, errors, warnings)


def _floe_model() -> type[FloeSpec]:
    return FloeSpec


def _platform_model() -> "type[PlatformSpec]":
    from floe_core.schemas.platform_spec import PlatformSpec  # noqa: PLC0415 - see `PlatformDocument.spec`

    return PlatformSpec


def _validate(document: ValidatedDocument[Spec], *, strict_env: bool) -> tuple[Spec, object, ProblemCollector]:
    interpolation = document.interpolation
    problems = ProblemCollector((*interpolation.errors, *interpolation.warnings))
    problems.extend(_unset_problems(interpolation.unset, severity="error" if strict_env else "warning"))
    validated = validate_document(document)
    problems.extend(validated.problems)
    if validated.spec is None:
        raise InvalidDocumentError(*problems.problems)
    return validated.spec, validated.values, problems


def _raise_errors(document: FloeDocument | PlatformDocument) -> None:
    if document.errors:
        only_interpolation = all(problem.code in _INTERPOLATION_CODES for problem in document.errors)
        kind = InterpolationError if only_interpolation else InvalidDocumentError
        raise kind(*document.errors, *document.warnings)


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
    # What cannot be read by that name (a link to nothing, a folder) is told when it is read, and not passed over.
    exists = Path.is_file if named else os.path.lexists
    found = next((candidate for candidate in candidates if exists(candidate)), None)
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
