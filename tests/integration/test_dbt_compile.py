"""`floe compile` on a real dbt project: what is parsed when, and what is said where it cannot be."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from inline_snapshot import snapshot

from dbt_shop import DbtShop
from floe_core.errors import CompileError, FloeError, ManifestError
from floe_core.project import ProjectFolder
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.orchestration_config import DbtConfig
from floe_dagster.compilation import ensure_compiled
from floe_dagster.dbt.connection import DbtProfile
from floe_dagster.dbt.deferred import read_manifest
from floe_dagster.dbt.index import DbtIndex, RelationNames
from floe_dagster.dbt.manifest import is_current
from floe_dagster.dbt.parsed_state import load_parsed_state
from floe_dagster.dbt.project import effective_dbt, load_dbt_project, locate_dbt_project
from floe_dagster.user_code.import_paths import set_up_import_paths
from plugins.user_project import UserProject

pytestmark = pytest.mark.usefixtures("forked_dbt")


def test_a_project_that_did_not_change_is_not_parsed_again(dbt_shop: DbtShop) -> None:
    first = dbt_shop.compile().index
    dbt_shop.progress.clear()

    assert dbt_shop.compile().index == first
    assert dbt_shop.progress == []


def test_an_index_holds_no_name_of_the_profile(dbt_shop: DbtShop) -> None:
    index = dbt_shop.compile().index
    text = json.dumps(index.to_json())

    assert str(dbt_shop.path) not in text
    assert "shop.duckdb" not in text
    assert {node.schema for node in index.nodes} == {
        "{schema}",
        "{schema}_gold",
        "{schema}_history",
        "{schema}_reference",
        "{schema}_silver",
    }
    assert {node.database for node in index.nodes} == {"{database}"}
    assert {source.schema for source in index.sources} == {"bronze", "silver", "vendor"}


@pytest.fixture(scope="module")
def compiled(forked_dbt: None, tmp_path_factory: pytest.TempPathFactory) -> DbtShop:
    """A copy of the project that was compiled where it is."""
    shop = DbtShop.copy_to(tmp_path_factory.mktemp("compiled") / "shop")
    shop.compile()
    return shop


@pytest.fixture
def edited(compiled: DbtShop, own_dbt_shop: DbtShop) -> DbtShop:
    """The same, whose files are again those that were compiled first; a test may change them."""
    shutil.rmtree(compiled.dbt_dir)
    shutil.copytree(own_dbt_shop.dbt_dir, compiled.dbt_dir)
    compiled.progress.clear()
    return compiled


def test_only_what_changed_is_parsed_and_another_target_stands_beside(edited: DbtShop) -> None:
    (edited.dbt_dir / "models" / "loose.sql").write_text("select 2 as id, 'changed' as state")

    index = edited.compile().index

    assert edited.progress == ["parsing the dbt project shop", "translating 17 dbt nodes"]
    assert "changed" in str(index.load_details()["model.shop.loose"]["description"])
    log = (edited.floe_dir / "dbt/dev/parse/dbt.log").read_text()
    assert "Partial parsing enabled: 0 files deleted, 0 files added, 1 files changed" in log
    assert (edited.floe_dir / "dbt/dev/manifest.json").is_file()


def test_what_was_compiled_for_another_selection_is_compiled_again(own_dbt_shop: DbtShop) -> None:
    (own_dbt_shop.path / "floe.yaml").write_text("orchestration:\n  dbt: {select: '${NODES:fqn:*}'}\n")
    project = ProjectFolder(own_dbt_shop.path)

    number_of_nodes = [
        len(DbtIndex.from_json(ensure_compiled(project, environ=environ).dbt["dev"].index).nodes)
        for environ in ({}, {"NODES": "loose"}, {"NODES": "loose labels"})
    ]

    assert number_of_nodes == [10, 1, 2]


def test_what_dbt_says_is_shown_as_dbt_says_it(edited: DbtShop, tmp_path: Path) -> None:
    (edited.dbt_dir / "models" / "loose.sql").write_text("select *\nfrom {{ ref('nowhere') }}")

    with pytest.raises(ManifestError) as error:
        edited.compile()

    told = _relative(error.value, edited)
    assert re.sub(r"/[0-9a-f]{12}\b", "/…", told) == snapshot(
        """\
error[FLOE-327]: dbt cannot parse the project shop
      Encountered an error:
      Compilation Error
        Model 'model.shop.loose' (models/loose.sql) depends on a node named 'nowhere' which was not found
  fix: correct what dbt says; `dbt parse --project-dir dbt --profiles-dir .floe/dbt/profiles/… --target dev` says the \
same\
"""
    )
    command = told.partition("`")[2].partition("`")[0].split()
    command[0] = str(Path(sys.executable).with_name("dbt"))
    environ = {**os.environ, "DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)}
    ended = subprocess.run(command, cwd=edited.path, env=environ, capture_output=True, text=True, check=False)
    assert "depends on a node named 'nowhere' which was not found" in ended.stdout


@pytest.mark.parametrize(
    ("file", "code", "told"),
    [
        (
            "loose.sql",
            "{% for key in var('partition_keys') %}select '{{ key }}'{% endfor %}",
            ["var('partition_keys') has no value", "fix: give the var a default: var('partition_keys', [])"],
        ),
        (
            "loose.yml",
            "models: [{name: loose, config: {enabled: \"{{ var('min_date') == 'x' }}\"}}]",
            ["var('min_date') has no value", "fix: give the var a default: var('min_date', '')"],
        ),
    ],
    ids=["none is no list", "a var that is required"],
)
def test_a_var_of_a_partition_that_parsing_needs(file: str, code: str, told: list[str], edited: DbtShop) -> None:
    (edited.dbt_dir / "models" / file).write_text(code)

    with pytest.raises(ManifestError) as error:
        edited.compile(DbtConfig(vars={"min_date": "{partition_start:%Y-%m-%d}"}))

    for text in told:
        assert text in str(error.value)


# ---- the user's own manifest


@pytest.fixture(scope="module")
def parsed_by_user(dbt_shop: DbtShop, tmp_path_factory: pytest.TempPathFactory) -> DbtShop:
    """The project with a `target` folder, as `dbt parse` in the project leaves it."""
    shop = DbtShop.copy_to(tmp_path_factory.mktemp("parsed") / "shop")
    (shop.dbt_dir / "target").mkdir()
    for name in ("manifest.json", "partial_parse.msgpack"):
        shutil.copy(dbt_shop.floe_dir / "dbt" / "dev" / name, shop.dbt_dir / "target" / name)
    return shop


def test_a_manifest_that_exists_and_is_current_is_used_as_it_is(parsed_by_user: DbtShop) -> None:
    before = (parsed_by_user.dbt_dir / "target" / "manifest.json").read_bytes()

    index = parsed_by_user.compile().index

    assert parsed_by_user.progress == ["translating 17 dbt nodes"]
    assert (parsed_by_user.path / index.manifest_path).read_bytes() == before


def _edit_yaml(shop: DbtShop) -> None:
    file = shop.dbt_dir / "models" / "marts" / "schema.yml"
    file.write_text(file.read_text().replace("What each customer has paid.", "Revenue by customer."))


def _edit_model(shop: DbtShop) -> None:
    (shop.dbt_dir / "models" / "loose.sql").write_text("select 3 as id")


def _add_model(shop: DbtShop) -> None:
    (shop.dbt_dir / "models" / "more.sql").write_text("select 3 as id")


def _remove_model(shop: DbtShop) -> None:
    (shop.dbt_dir / "models" / "loose.sql").unlink()


def _edit_settings(shop: DbtShop) -> None:
    with (shop.dbt_dir / "dbt_project.yml").open("a") as file:
        file.write("\n# a word\n")


def _lose_the_parsed_state(shop: DbtShop) -> None:
    (shop.dbt_dir / "target" / "partial_parse.msgpack").unlink()


def _change_nothing_but_white_space(shop: DbtShop) -> None:
    file = shop.dbt_dir / "models" / "loose.sql"
    file.write_text(f"{file.read_text()}\n\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_change_nothing_but_white_space, True),
        (_edit_yaml, False),
        (_edit_model, False),
        (_add_model, False),
        (_remove_model, False),
        (_edit_settings, False),
        (_lose_the_parsed_state, False),
    ],
)
def test_a_manifest_is_current_as_long_as_dbt_would_parse_nothing(
    change: Callable[[DbtShop], None], expected: bool, parsed_by_user: DbtShop, tmp_path: Path
) -> None:
    shop = DbtShop(tmp_path / "shop", [])
    shutil.copytree(parsed_by_user.path, shop.path)
    change(shop)

    assert _is_current(shop) is expected


def test_a_manifest_parsed_for_another_place_is_not_current(parsed_by_user: DbtShop) -> None:
    assert not _is_current(parsed_by_user, parsed_by_user.profile(schema="analytics"))
    assert not _is_current(parsed_by_user, parsed_by_user.profile("prod"))
    assert not _is_current(parsed_by_user, cli_vars={"label": "x"})


def _is_current(shop: DbtShop, profile: DbtProfile | None = None, cli_vars: Mapping[str, object] | None = None) -> bool:
    target = shop.dbt_dir / "target"
    return is_current(
        read_manifest(target / "manifest.json"),
        load_parsed_state(target / "partial_parse.msgpack"),
        project=load_dbt_project(shop.dbt_dir),
        profile=profile or shop.profile(),
        cli_vars=cli_vars or {},
    )


# ---- what is wrong before dbt is asked


def _no_project(shop: DbtShop) -> None:
    shutil.rmtree(shop.dbt_dir)


def _not_json(shop: DbtShop) -> None:
    _write_manifest(shop, '{"metadata": {')


def _not_a_manifest(shop: DbtShop) -> None:
    _write_manifest(shop, '{"metadata": {}, "logs": []}')


def _of_another_project(shop: DbtShop) -> None:
    _write_manifest(shop, json.dumps(_empty_manifest(project_name="jaffle")))


def _too_old(shop: DbtShop) -> None:
    _write_manifest(shop, json.dumps(_empty_manifest(dbt_schema_version=".../manifest/v8.json")))
    shutil.rmtree(shop.dbt_dir)


def _packages_not_installed(shop: DbtShop) -> None:
    (shop.dbt_dir / "packages.yml").write_text("packages: [{package: dbt-labs/dbt_utils, version: 1.3.0}]")


def _several_projects(shop: DbtShop) -> None:
    shutil.copytree(shop.dbt_dir, shop.path / "dbt_too")


def _write_manifest(shop: DbtShop, text: str) -> None:
    file = shop.path / "target" / "manifest.json"
    file.parent.mkdir()
    file.write_text(text)


def _empty_manifest(**metadata: str) -> dict[str, Any]:
    parts = ("nodes", "sources", "parent_map", "child_map")
    return {"metadata": {"project_name": "shop", **metadata}, **{part: {} for part in parts}}


@pytest.mark.requirement("010-FR-010")
@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        (
            _no_project,
            snapshot(
                """\
error[FLOE-320]: there is no dbt manifest at target/manifest.json, and no dbt project to make one from
  why: there is no dbt_project.yml in . or the folders below
  fix: name the folder of dbt_project.yml as project_dir, or run `dbt parse` and name its manifest as manifest_path\
"""
            ),
        ),
        (
            _not_json,
            snapshot("""\
error[FLOE-321]: the dbt manifest target/manifest.json cannot be read
      Expecting property name enclosed in double quotes: line 1 column 15 (char 14)
  fix: run `dbt parse --project-dir dbt`, which makes it anew\
"""),
        ),
        (
            _not_a_manifest,
            snapshot("""\
error[FLOE-321]: target/manifest.json is not a dbt manifest
  why: a manifest is an object with metadata, nodes, sources, parent_map, child_map
  fix: run `dbt parse --project-dir dbt`, which makes one\
"""),
        ),
        (
            _of_another_project,
            snapshot("""\
error[FLOE-326]: the dbt manifest target/manifest.json is of another project, jaffle
  why: dbt holds the project shop
  fix: correct manifest_path, or run `dbt parse --project-dir dbt` and name the manifest that it writes\
"""),
        ),
        (
            _too_old,
            snapshot("""\
error[FLOE-321]: the dbt manifest target/manifest.json is too old
  why: its format is .../manifest/v8.json, and the oldest understood is v11 (dbt 1.7)
  fix: run `dbt parse` with a newer dbt\
"""),
        ),
        (
            _packages_not_installed,
            snapshot("""\
error[FLOE-328]: the packages of the dbt project shop are not installed
  why: packages.yml lists some, and there is no dbt/dbt_packages
  fix: run `dbt deps --project-dir dbt`\
"""),
        ),
        (
            _several_projects,
            snapshot("""\
error[FLOE-323]: it is not clear which dbt project is meant
  why: these folders hold a dbt_project.yml: dbt, dbt_too
  fix: name one as orchestration.dbt.project_dir, such as `project_dir: dbt`\
"""),
        ),
    ],
    ids=["nothing", "not-json", "not-a-manifest", "foreign", "too-old", "packages", "several"],
)
def test_a_project_that_cannot_be_compiled_says_where_why_and_what_to_run(
    breaks: Callable[[DbtShop], None], message: str, own_dbt_shop: DbtShop
) -> None:
    breaks(own_dbt_shop)

    with pytest.raises(FloeError) as error:
        own_dbt_shop.compile()

    assert _relative(error.value, own_dbt_shop) == message


def test_a_folder_without_a_dbt_project_is_named_with_those_that_have_one(own_dbt_shop: DbtShop) -> None:
    with pytest.raises(CompileError) as error:
        own_dbt_shop.compile(DbtConfig(project_dir="transform"))

    assert _relative(error.value, own_dbt_shop) == snapshot("""\
error[FLOE-323]: there is no dbt project in transform
  why: a dbt project is a folder that holds dbt_project.yml
  fix: name one of these folders: dbt\
""")


def test_a_profiles_dir_without_profiles_is_named(own_dbt_shop: DbtShop) -> None:
    with pytest.raises(CompileError) as error:
        own_dbt_shop.compile(profile=DbtProfile(own_dbt_shop.path / "nowhere"))

    assert _relative(error.value, own_dbt_shop) == snapshot("""\
error[FLOE-324]: there is no profiles.yml in nowhere
  why: with profiles_dir dbt uses your own profile, and none is generated
  fix: name the folder that holds it, or leave profiles_dir out\
""")


# ---- selection and translation, on a manifest that is there


@pytest.fixture(scope="module")
def manifest(dbt_shop: DbtShop) -> Mapping[str, Any]:
    return read_manifest(dbt_shop.path / dbt_shop.compile().index.manifest_path)


@pytest.mark.parametrize(
    ("dbt", "unique_ids"),
    [
        (DbtConfig(select=["loose"]), ["model.shop.loose"]),
        (DbtConfig(select=["stg_customers", "tag:nightly"]), ["model.shop.orders_so_far", "model.shop.stg_customers"]),
        (DbtConfig(exclude=["resource_type:model"]), ["seed.shop.countries", "snapshot.shop.orders_history"]),
        (DbtConfig(select=["path:models/plain"]), ["model.shop.labels"]),
    ],
)
def test_select_and_exclude_are_dbts_own(
    dbt: DbtConfig, unique_ids: list[str], dbt_shop: DbtShop, manifest: Mapping[str, Any]
) -> None:
    from floe_dagster.dbt.translation import translate

    found = translate(manifest, dbt, project_dir=dbt_shop.dbt_dir)

    assert [spec.metadata["dagster_dbt/unique_id"] for spec in found.specs] == unique_ids


@pytest.mark.parametrize(
    ("dbt", "message"),
    [
        (
            DbtConfig(select=["tag:nowhere"]),
            snapshot("""\
error[FLOE-329]: the dbt selection selects no model, seed or snapshot
  why: disabled and ephemeral models are not assets
  fix: `dbt list` with the same selection shows what it selects\
"""),
        ),
        (
            DbtConfig(select=["colour:red"]),
            snapshot("""\
error[FLOE-329]: dbt does not understand the selection
      Runtime Error
        'colour' is not a valid method name\
"""),
        ),
        (
            DbtConfig(selector="nightly"),
            snapshot("""\
error[FLOE-329]: dbt does not understand the selection
      Selector `nightly` not found in manifest.\
"""),
        ),
    ],
    ids=["nothing", "method", "selector"],
)
def test_a_selection_that_selects_nothing_is_an_error(
    dbt: DbtConfig, message: str, dbt_shop: DbtShop, manifest: Mapping[str, Any]
) -> None:
    from floe_dagster.dbt.translation import translate

    with pytest.raises(CompileError) as error:
        translate(manifest, dbt, project_dir=dbt_shop.dbt_dir)

    assert str(error.value) == message


def test_two_models_with_one_key_are_named(dbt_shop: DbtShop, manifest: Mapping[str, Any]) -> None:
    from floe_dagster.dbt.translation import translate

    changed = copy.deepcopy(dict(manifest))
    for name in ("loose", "labels"):
        changed["nodes"][f"model.shop.{name}"]["config"]["meta"] = {"dagster": {"asset_key": ["one", "key"]}}

    with pytest.raises(CompileError) as error:
        translate(changed, DbtConfig(), project_dir=dbt_shop.dbt_dir)

    assert str(error.value) == snapshot("""\
error[FLOE-322]: dagster-dbt cannot make assets of the dbt project
      The following dbt resources have the asset key `['one', 'key']`:
        - `model.shop.labels` (models/plain/labels.sql)
        - `model.shop.loose` (models/loose.sql)
  fix: correct `meta.dagster` of what is named, or give it another name or schema in dbt\
""")


# ---- where the project is


def _spec(**sections: object) -> FloeSpec:
    return FloeSpec.model_validate({"orchestration": {}, **sections})


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (_spec(), None),
        (_spec(transforms=[{"type": "dbt", "path": "warehouse", "target": "prod"}]), ("warehouse", "prod")),
        (
            _spec(transforms=[{"type": "dbt", "path": "warehouse", "target": "prod"}], orchestration={"dbt": {}}),
            ("warehouse", "prod"),
        ),
        (
            _spec(
                transforms=[{"type": "dbt", "path": "warehouse", "target": "prod"}],
                orchestration={"dbt": {"project_dir": "./warehouse", "target": "dev"}},
            ),
            ("./warehouse", "dev"),
        ),
        (
            _spec(transforms=[{"type": "dbt", "path": "other"}], orchestration={"dbt": {"project_dir": "warehouse"}}),
            ("warehouse", None),
        ),
    ],
    ids=["no-dbt", "transforms-alone", "transforms-complete", "dbt-wins", "another-project"],
)
def test_transforms_name_the_project_and_the_target_where_dbt_does_not(
    spec: FloeSpec, expected: tuple[str, str | None] | None
) -> None:
    dbt = effective_dbt(spec)

    assert (dbt and (dbt.project_dir, dbt.target)) == expected


@pytest.mark.parametrize(
    ("files", "dbt", "project", "manifest"),
    [
        (["dbt_project.yml"], DbtConfig(), ".", None),
        (["dbt_project.yml", "target/manifest.json"], DbtConfig(project_dir="."), ".", "target/manifest.json"),
        (["shop/dbt/dbt_project.yml"], DbtConfig(), "shop/dbt", None),
        (["dbt/dbt_project.yml", "dbt/target/manifest.json"], DbtConfig(), "dbt", "dbt/target/manifest.json"),
        (
            ["a/dbt_project.yml", "b/dbt_project.yml", "b/target/manifest.json"],
            DbtConfig(manifest_path="b/target/manifest.json"),
            "b",
            "b/target/manifest.json",
        ),
        (["a/dbt_project.yml", "b/dbt_project.yml"], DbtConfig(project_dir="a"), "a", None),
        (["built/manifest.json"], DbtConfig(manifest_path="built/manifest.json"), None, "built/manifest.json"),
        ([".hidden/dbt_project.yml", "dbt/dbt_project.yml"], DbtConfig(), "dbt", None),
        (["dbt/dbt_project.yml", "dbt/dbt_packages/utils/dbt_project.yml"], DbtConfig(), "dbt", None),
    ],
)
def test_the_project_is_found_by_its_manifest_or_its_folder(
    files: list[str], dbt: DbtConfig, project: str | None, manifest: str | None, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("name: x\n")

    location = locate_dbt_project(dbt, project_dir=tmp_path)

    assert (location.project and location.project.path) == (project and (tmp_path / project).resolve())
    assert location.manifest == (manifest and tmp_path / manifest)


def _relative(error: FloeError, shop: DbtShop) -> str:
    return str(error).replace(f"{shop.path}/", "").replace(str(shop.path), ".")


def test_names_of_a_profile_of_ones_own_are_kept(dbt_shop: DbtShop, tmp_path: Path) -> None:
    shop = DbtShop.copy_to(tmp_path / "shop")
    (shop.dbt_dir / "target").mkdir()
    for name in ("manifest.json", "partial_parse.msgpack"):
        shutil.copy(dbt_shop.floe_dir / "dbt" / "dev" / name, shop.dbt_dir / "target" / name)
    profile = DbtProfile(shop.profile().profiles_dir, target="dev")

    index = shop.compile(profile=profile).index

    assert index.own_names == RelationNames("", "", "duckdb")
    assert {node.database for node in index.nodes} == {"shop"}


# ---- a translator of the user's


TRANSLATOR = """
import dagster as dg
from dagster_dbt import DagsterDbtTranslator


class Shop(DagsterDbtTranslator):
    def get_asset_key(self, props):
        return super().get_asset_key(props).with_prefix("shop")

    def get_group_name(self, props):
        return "people" if "customer" in props["name"] else super().get_group_name(props)

    def get_partitions_def(self, props):
        return dg.StaticPartitionsDefinition(["a", "b"]) if props["name"] == "loose" else None


class Broken(DagsterDbtTranslator):
    def get_tags(self, props):
        return {"owner": props["nobody"]}


class NoTranslator:
    pass
"""


@pytest.fixture
def translated(dbt_shop: DbtShop, user_project: UserProject) -> DbtShop:
    """The compiled project beside a module with translators."""
    user_project.write({"translators.py": TRANSLATOR})
    set_up_import_paths(user_project.path)
    return dbt_shop


def test_what_a_translator_overrides_wins_and_floes_rules_hold_for_the_rest(translated: DbtShop) -> None:
    dbt = DbtConfig(translator="translators.Shop")
    index = translated.compile(dbt).index

    loaded = translated.load(
        index, dbt, python_assets=[dg.AssetSpec("raw", metadata={"floe/outputs": ["bronze.orders"]})]
    )

    specs = {spec.key.to_user_string(): spec for assets in loaded.assets for spec in assets.specs}
    assert specs["shop/silver/stg_customers"].group_name == "people"
    assert specs["shop/silver/stg_orders"].group_name == "silver"
    assert [dep.asset_key.to_user_string() for dep in specs["shop/silver/stg_orders"].deps] == ["raw"]
    partitioned, rest = sorted(loaded.assets, key=lambda assets: len(list(assets.specs)))
    assert [spec.key.to_user_string() for spec in partitioned.specs] == ["shop/loose"]
    assert {check.asset_key.to_user_string() for check in rest.check_specs} == {"shop/gold/customer_revenue"}


def test_a_wrong_translator_is_told_beside_wrong_selections_and_a_missing_profile(translated: DbtShop) -> None:
    dbt = DbtConfig(translator="translators.NoTranslator", select=["colour:red"], exclude=["shade:blue", "loose"])
    elsewhere = DbtProfile(translated.path / "nowhere")

    with pytest.raises(FloeError) as selections:
        translated.compile(dbt)
    with pytest.raises(FloeError) as profile:
        translated.compile(dbt, profile=elsewhere)

    assert [problem.code for problem in selections.value.problems] == ["FLOE-313", "FLOE-329", "FLOE-329"]
    assert [problem.code for problem in profile.value.problems] == ["FLOE-324", "FLOE-313"]


@pytest.mark.parametrize(
    ("translator", "message"),
    [
        (
            "translators.NoTranslator",
            snapshot("""\
error[FLOE-313]: 'translators.NoTranslator' is not a dbt translator
  why: a translator is a subclass of dagster_dbt.DagsterDbtTranslator
  fix: derive it: `class NoTranslator(DagsterDbtTranslator): …`\
"""),
        ),
        (
            "translators.Broken",
            snapshot("""\
error[FLOE-313]: the dbt translator Broken raises KeyError
      translators.py:18 in get_tags
          return {"owner": props["nobody"]}
      KeyError: 'nobody'\
"""),
        ),
        (
            "translators.Shopp",
            snapshot("""\
error[FLOE-311]: module 'translators' has no 'Shopp'
  why: it defines Shop, Broken, NoTranslator
  fix: did you mean 'translators.Shop'?\
"""),
        ),
    ],
)
def test_a_translator_that_cannot_be_used_is_named(translator: str, message: str, translated: DbtShop) -> None:
    with pytest.raises(FloeError) as error:
        translated.compile(DbtConfig(translator=translator))

    assert str(error.value) == message
