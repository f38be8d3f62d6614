"""Both documents as definitions are built of them."""

from collections.abc import Mapping
from dataclasses import replace

from floe_core.compiler.artifacts import CompiledArtifacts
from floe_core.compiler.known_part import KnownPart, known_part, with_known_profiles
from floe_core.compiler.profile_checks import check_profiles
from floe_core.compiler.secret_checks import without_missing_secrets
from floe_core.documents import (
    FloeDocument,
    PlatformDocument,
    build_floe_document,
    load_platform_document,
    read_parsed_document,
    read_platform_document,
)
from floe_core.errors import LoadError
from floe_core.interpolation import is_unset
from floe_core.project import ProjectFolder
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.platform_spec import PlatformSpec
from floe_dagster.compilation import target_name
from floe_dagster.dbt.project import effective_dbt
from floe_dagster.findings import Findings, Gap


def read_documents(
    project: ProjectFolder, artifacts: CompiledArtifacts, *, environ: Mapping[str, str], only_known: bool
) -> tuple[FloeDocument, PlatformDocument, Findings]:
    """floe.yaml as it was compiled, platform.yaml, and what is wrong with them or not known of them.

    Args:
        project: Where they are.
        artifacts: What was compiled of floe.yaml.
        environ: Values for `${…}`.
        only_known: See `load_project`.

    Raises:
        FloeError: Everything that is wrong with them, unless only what is known of them is wanted.
    """
    source = artifacts.source_map(project.floe_yaml)
    if only_known:
        read = read_parsed_document(artifacts.document, source, environ=environ, default_name=artifacts.project_name)
        known = known_part(read)
        platform = read_platform_document(project.path, environ=environ, strict_env=False)
        spec, platform_spec = with_known_profiles(known.spec, platform.spec)
        platform_spec = without_missing_secrets(platform_spec, environ=environ)
        document, platform = replace(read, spec=spec), replace(platform, written=platform_spec)
        return document, platform, Findings(gaps=_gaps_of(known, artifacts, platform.spec))
    document = build_floe_document(
        artifacts.document, source, environ=environ, strict_env=True, default_name=artifacts.project_name
    )
    platform = load_platform_document(project.path, environ=environ)
    problems = Findings([*document.warnings, *platform.warnings])
    problems.extend(check_profiles(document.spec, platform.spec, document.source, platform_source=platform.source))
    problems.raise_if_any(LoadError)
    return document, platform, problems


def _gaps_of(known: KnownPart, artifacts: CompiledArtifacts, platform: PlatformSpec) -> list[Gap]:
    closed = {
        Gap.MODULES: known.modules,
        Gap.ASSETS: known.assets and _is_compiled(known.spec, artifacts),
        Gap.PARTITIONS: known.partitions,
        Gap.ATTRIBUTES: known.attributes,
        Gap.CONDITIONS: known.conditions,
        Gap.RESOURCES: not is_unset(platform.resources),
    }
    return [gap for gap, is_closed in closed.items() if not is_closed]


def _is_compiled(spec: FloeSpec, artifacts: CompiledArtifacts) -> bool:
    dbt = effective_dbt(spec)
    return dbt is None or target_name(dbt) in artifacts.dbt
