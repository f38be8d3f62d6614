"""Whether what was compiled of dbt is still what floe.yaml asks for; dbt itself is not needed for the question."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from builders import dbt_config
from floe_core.compiler.artifacts import (
    CompiledArtifacts,
    DbtTarget,
    build_artifacts,
    dbt_project_digest,
    write_artifacts,
)
from floe_core.compiler.checks import check_documents
from floe_core.errors import ArtifactsError, DocumentError, FloeError, Problem
from floe_core.project import ProjectFolder
from floe_core.yaml_source import parse_yaml
from floe_dagster.compilation import compile_documents, find_dbt_index
from floe_dagster.dbt.compilation import dbt_settings_digest
from floe_dagster.dbt.index import DbtIndex
from plugins.user_project import UserProject

COMPILED = dbt_config(select=["tag:nightly"], vars={"country": "DE"})


@pytest.fixture
def project(user_project: UserProject) -> ProjectFolder:
    user_project.write({"dbt_project.yml": "name: shop", "manifest.json": "{}"})
    return ProjectFolder(user_project.path)


@pytest.fixture
def artifacts(project: ProjectFolder) -> CompiledArtifacts:
    index = DbtIndex(settings_digest=dbt_settings_digest(COMPILED), project_dir=".", manifest_path="manifest.json")
    empty = build_artifacts(parse_yaml("", file=Path("floe.yaml")), digest="", project_name="shop")
    target = DbtTarget(digest=dbt_project_digest(project.path), index=index.to_json())
    return empty.with_dbt_target("dev", target)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"select": ["tag:hourly"]}, id="select"),
        pytest.param({"select": ["tag:nightly", "tag:hourly"]}, id="one more selected"),
        pytest.param({"select": ()}, id="nothing selected"),
        pytest.param({"exclude": ["orders"]}, id="exclude"),
        pytest.param({"select": (), "selector": "nightly"}, id="selector"),
        pytest.param({"translator": "shop.dbt.Translator"}, id="translator"),
    ],
)
def test_artifacts_are_stale_when_floe_yaml_asks_for_other_models(
    settings: dict[str, object], artifacts: CompiledArtifacts, project: ProjectFolder
) -> None:
    with pytest.raises(ArtifactsError) as error:
        find_dbt_index(artifacts, COMPILED.model_copy(update=settings), project=project)

    assert str(error.value) == snapshot("""\
error[FLOE-221]: the compiled artifacts are stale
  --> .floe/compiled_artifacts.json
  why: select, exclude, selector or translator of orchestration.dbt had another value when they were compiled
  fix: run 'floe compile'\
""")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"vars": {"country": "FR"}}, id="vars"),
        pytest.param({"fetch": ("row_counts",)}, id="fetch"),
        pytest.param({"observability_level": "job_level"}, id="observability_level"),
    ],
)
def test_artifacts_stay_current_when_the_models_are_the_same(
    settings: dict[str, object], artifacts: CompiledArtifacts, project: ProjectFolder
) -> None:
    index = find_dbt_index(artifacts, COMPILED.model_copy(update=settings), project=project)

    assert index.settings_digest == dbt_settings_digest(COMPILED)


def test_artifacts_are_stale_without_the_manifest_that_belongs_to_them(
    artifacts: CompiledArtifacts, project: ProjectFolder
) -> None:
    (project.path / "manifest.json").unlink()

    with pytest.raises(ArtifactsError) as error:
        find_dbt_index(artifacts, COMPILED, project=project)

    assert str(error.value) == snapshot("""\
error[FLOE-221]: the compiled artifacts are stale
  --> .floe/compiled_artifacts.json
  why: manifest.json, which belongs to them, is not there
  fix: run 'floe compile'\
""")
    assert find_dbt_index(artifacts, COMPILED, project=project, check_current=False).manifest_path == "manifest.json"


class ShippedProject(ProjectFolder):
    """A project folder that cannot be written."""

    def make_floe_dir(self) -> Path:
        raise DocumentError(Problem("FLOE-131", ".floe cannot be written"))


def test_a_project_that_cannot_be_written_is_compiled_of_the_target_that_was_shipped_with_it(
    artifacts: CompiledArtifacts, user_project: UserProject
) -> None:
    user_project.write({"floe.yaml": "orchestration: {}"})
    project = ShippedProject(user_project.path)
    documents = check_documents(project, environ={})
    with pytest.raises(DocumentError):
        compile_documents(documents, COMPILED, project=project)
    project.artifacts_file.parent.mkdir()
    write_artifacts(artifacts, project.artifacts_file)

    assert compile_documents(documents, COMPILED, project=project).artifacts.dbt == artifacts.dbt

    user_project.write({"models/orders.sql": "select 1"})
    with pytest.raises(DocumentError):
        compile_documents(documents, COMPILED, project=project)


def test_all_folders_and_the_translator_of_dbt_that_are_not_there_are_one_report(user_project: UserProject) -> None:
    settings = "{project_dir: transform, profiles_dir: nowhere, translator: nothing.Translator}"
    user_project.write({"floe.yaml": f"orchestration: {{dbt: {settings}}}"})
    project = ProjectFolder(user_project.path)
    documents = check_documents(project, environ={})

    with pytest.raises(FloeError) as error:
        compile_documents(documents, documents.document.spec.orchestration.dbt, project=project)

    assert [problem.code for problem in error.value.problems] == ["FLOE-323", "FLOE-324", "FLOE-301"]
