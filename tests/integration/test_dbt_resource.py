"""The resource `dbt` in other circumstances than those the project was compiled in."""

import json
import shutil
from typing import Any

import pytest
from dagster_dbt import DbtCliResource
from dagster_dbt.errors import DagsterDbtCliRuntimeError
from dbt.adapters.base.impl import BaseAdapter
from dbt.contracts.graph.manifest import MacroManifest
from dbt.parser.macros import MacroParser

from dbt_shop import NAMES, DbtShop
from floe_dagster.dbt.connection import DbtProfile, find_dbt
from floe_dagster.dbt.files import write_profile
from floe_dagster.resources.dbt import DbtResource

NOT_PARSED = "no changes found, skipping parsing"

pytestmark = pytest.mark.usefixtures("forked_dbt")


@pytest.fixture(scope="module")
def moved(dbt_shop: DbtShop, tmp_path_factory: pytest.TempPathFactory) -> DbtShop:
    """The compiled project in another folder, as in a container."""
    dbt_shop.compile()
    folder = tmp_path_factory.mktemp("moved") / "app"
    shutil.copytree(dbt_shop.path, folder)
    return DbtShop(folder, [])


@pytest.fixture(scope="module")
def daily(forked_dbt: None, tmp_path_factory: pytest.TempPathFactory) -> DbtShop:
    """The project with models that read a partition: while they are parsed, while they run, and without a default."""
    shop = DbtShop.copy_to(tmp_path_factory.mktemp("daily") / "shop")
    models = shop.dbt_dir / "models" / "plain"
    (models / "named.sql").write_text("{{ config(alias='on_' ~ var('partition_key', 'no_day')) }} select 1 as id")
    (models / "filtered.sql").write_text("select 1 as id where '{{ var('partition_key', '') }}' = 'x'")
    (models / "daily.sql").write_text("select '{{ var('partition_key') }}' as day")
    shop.compile()
    return shop


def build_resource(shop: DbtShop, profile: DbtProfile) -> DbtResource:
    """The resource as a process has it that loads what was compiled elsewhere."""
    state = shop.floe_dir / "dbt" / "dev"
    return DbtResource(
        project_dir=str(shop.dbt_dir),
        manifest_path=str(state / "manifest.json"),
        state_dir=str(state),
        partial_parse=str(state / "partial_parse.msgpack"),
        profiles_dir=str(profile.profiles_dir),
        target=profile.target,
        secrets=dict(profile.secrets),
    )


def log_of(resource: DbtResource, *args: str) -> str:
    invocation = resource.cli([*args, "--select", "countries"]).wait()
    return (invocation.target_path / "dbt.log").read_text()


def test_a_project_that_was_moved_is_not_parsed_again_and_reads_its_seeds_where_they_are_now(
    moved: DbtShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_FILE", str(moved.database))
    output = {"type": "duckdb", "path": "{{ env_var('DBT_ENV_SECRET_FILE') }}", "threads": 1}
    profiles: dict[str, object] = {"shop": {"target": "dev", "outputs": {"dev": output}}}
    profile = DbtProfile(
        write_profile(profiles, floe_dir=moved.floe_dir),
        target="dev",
        names=NAMES,
        secrets={"DBT_ENV_SECRET_FILE": "DATABASE_FILE"},
    )

    invocation = build_resource(moved, profile).cli(["seed"]).wait()

    assert NOT_PARSED in (invocation.target_path / "dbt.log").read_text()
    assert invocation.get_artifact("manifest.json")["nodes"]["seed.shop.countries"]["root_path"] == str(moved.dbt_dir)
    assert moved.database.is_file()


def test_vars_of_a_partition_do_not_make_dbt_parse_and_other_vars_do_once(moved: DbtShop) -> None:
    resource = build_resource(moved, moved.profile())

    of_a_partition = log_of(resource, "list", "--vars", "{partition_key: 2024-01-01}")
    first = log_of(resource, "list", "--vars", "{label: x}")
    second = log_of(resource, "list", "--vars", "{label: x}")

    assert NOT_PARSED in of_a_partition
    assert NOT_PARSED not in first
    assert NOT_PARSED in second


def test_only_files_that_read_a_partition_while_parsing_are_parsed_for_it(daily: DbtShop) -> None:
    resource = build_resource(daily, daily.profile())

    def list_aliases(*args: str) -> tuple[list[str], str]:
        options = ("--select", "named filtered", "--output", "json", "--output-keys", "alias")
        invocation = resource.cli(["list", *options, *args])
        said = [event.raw_event["info"]["msg"] for event in invocation.stream_raw_events()]
        log = (invocation.target_path / "dbt.log").read_text()
        return [json.loads(line)["alias"] for line in said if line.startswith("{")], log

    first, first_log = list_aliases("--vars", "{partition_key: '1'}")
    second, second_log = list_aliases("--vars", "{partition_key: '2'}")
    without, log_without = list_aliases()

    assert (first, second, without) == (["filtered", "on_1"], ["filtered", "on_2"], ["filtered", "on_no_day"])
    for log in (first_log, second_log):
        assert "0 files deleted, 0 files added, 1 files changed" in log
    assert NOT_PARSED in log_without
    left = [file.name for file in daily.floe_dir.rglob("*.msgpack") if file.parent.name != "parse"]
    assert sorted(left)[1:] == ["partial_parse.msgpack"]
    assert min(left).endswith("-runs.msgpack")


def test_a_model_that_needs_a_partition_and_has_none_says_which_var_it_lacks(daily: DbtShop) -> None:
    resource = build_resource(daily, daily.profile())

    with pytest.raises(DagsterDbtCliRuntimeError, match="Required var 'partition_key' not found in config") as raised:
        resource.cli(["run", "--select", "daily"]).wait()

    assert "models/plain/daily.sql" in str(raised.value)


def test_a_profile_of_the_users_own_is_parsed_for_once_whatever_the_partition(own_dbt_shop: DbtShop) -> None:
    own = DbtProfile(own_dbt_shop.profile().profiles_dir, target="dev")
    own_dbt_shop.compile(profile=own)
    resource = build_resource(own_dbt_shop, own)

    logs = [log_of(resource, "list", "--vars", f"{{partition_key: '{key}'}}") for key in (1, 2)]

    assert [NOT_PARSED in log for log in logs] == [True, True]


def test_another_schema_is_parsed_for(moved: DbtShop) -> None:
    profile = moved.profile(schema="analytics")
    resource = build_resource(moved, profile)

    invocation = resource.cli(["list", "--select", "stg_orders", "--output", "json", "--output-keys", "schema"]).wait()
    log = (invocation.target_path / "dbt.log").read_text()

    assert "analytics_silver" in log
    assert NOT_PARSED not in log


def test_the_adapter_for_what_is_fetched_has_dagster_dbts_macros_and_parses_none(
    moved: DbtShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = moved.profile()
    plain = DbtCliResource(
        dbt_executable=find_dbt(), project_dir=str(moved.dbt_dir), profiles_dir=str(profile.profiles_dir), target="dev"
    )
    expected = macros_of(plain._initialize_dbt_core_adapter([]))
    monkeypatch.setattr(MacroParser, "parse_file", pytest.fail)

    adapter = build_resource(moved, profile).client._initialize_dbt_core_adapter([]).build()

    own = macros_of(adapter)
    assert {unique_id: own[unique_id] for unique_id in expected} == expected
    assert all(unique_id.startswith("macro.dbt.test_") for unique_id in own.keys() - expected.keys())
    assert len(expected) > 100


def macros_of(adapter: BaseAdapter) -> dict[str, str]:
    """Unique id → code."""
    resolver = adapter.get_macro_resolver()
    assert isinstance(resolver, MacroManifest)
    macros: Any = resolver.macros
    return {unique_id: macro.macro_sql for unique_id, macro in macros.items()}
