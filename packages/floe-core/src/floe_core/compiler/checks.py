"""Everything that can be said about a project's documents before Dagster is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from floe_core.compiler.boundary import check_boundary, secret_lines, without_secret_lines
from floe_core.compiler.references import ProfileNames, check_profile_names, check_references
from floe_core.documents import FloeDocument, PlatformDocument, read_floe_document, read_platform_document
from floe_core.errors import CompileError, Problem, ProblemCollector, Severity
from floe_core.project import ProjectFolder


@dataclass(frozen=True)
class CheckedDocuments:
    """Both documents, and what is wrong with each and with the two together."""

    document: FloeDocument
    platform: PlatformDocument
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check_documents(
    project: ProjectFolder, *, environ: Mapping[str, str], strict_env: bool = False
) -> CheckedDocuments:
    """Read floe.yaml and platform.yaml and hold them against their schemas and against each other.

    Args:
        project: Where floe.yaml is.
        environ: Values for `${…}`.
        strict_env: Whether a required variable that is not set is an error; otherwise a warning, and what depends on it
            is not checked.

    Raises:
        CompileError: Everything that is wrong with both documents, warnings included.
    """
    documents = read_documents(project, environ=environ, strict_env=strict_env)
    if documents.errors:
        raise CompileError(*documents.errors, *documents.warnings)
    return documents


def read_documents(project: ProjectFolder, *, environ: Mapping[str, str], strict_env: bool = False) -> CheckedDocuments:
    """The same, for who goes on with what is right in documents that have errors.

    Raises:
        CompileError: Nothing in one of the two can be made out; with what is wrong with the other one, too.
    """
    problems = ProblemCollector()
    document: FloeDocument | None = None
    platform: PlatformDocument | None = None
    with problems.collecting():
        document = read_floe_document(project.floe_yaml, environ=environ, strict_env=strict_env)
        problems.extend((*document.errors, *document.warnings))
        problems.extend(check_references(document.spec, document.source))
        found = check_boundary(document.raw, document.source, comments=document.comments)
        problems.extend(found)
        document = replace(document, source=document.source.without_lines(secret_lines(found)))
    with problems.collecting():
        platform = read_platform_document(project.path, environ=environ, strict_env=strict_env)
        problems.extend((*platform.errors, *platform.warnings))
    if document is not None and platform is not None:
        problems.extend(_check_profiles(document, platform))
        problems.extend(_check_secrets(document, platform, environ=environ, strict_env=strict_env))
    if document is None or platform is None:
        raise CompileError(*without_secret_lines(problems.problems))
    shown = ProblemCollector(without_secret_lines(problems.problems))
    return CheckedDocuments(document, platform, shown.errors, shown.warnings)


def _check_secrets(
    document: FloeDocument, platform: PlatformDocument, *, environ: Mapping[str, str], strict_env: bool
) -> list[Problem]:
    if platform.path is None:
        return []
    from floe_core.compiler.secret_checks import check_secrets  # noqa: PLC0415 - see `_check_profiles`

    severity: Severity = "error" if strict_env else "warning"
    return list(check_secrets(document.spec, platform, environ=environ, severity=severity))


def _check_profiles(document: FloeDocument, platform: PlatformDocument) -> list[Problem]:
    if platform.path is None:  # the profiles of the embedded platform go together
        return check_profile_names(document.spec, ProfileNames(), document.source)
    from floe_core.compiler.profile_checks import check_profiles  # noqa: PLC0415 - a tenth of what `--schema-only` takes

    return check_profiles(document.spec, platform.spec, document.source, platform_source=platform.source)
