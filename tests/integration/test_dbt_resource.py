"""The resource `dbt` in other circumstances than those the project was compiled in."""

import shutil

import pytest

from dbt_shop import NAMES, DbtShop
from floe_dagster.dbt.connection import DbtProfile
from floe_dagster.dbt.files import write_profile
from floe_dagster.resources.dbt import DbtResource

NOT_PARSED = "Nothing changed, skipping partial parsing"


@pytest.fixture(scope="module")
def moved(dbt_shop: DbtShop, tmp_path_factory: pytest.TempPathFactory) -> DbtShop:
    """The compiled project in another folder, as in a container."""
    dbt_shop.compile()
    folder = tmp_path_factory.mktemp("moved") / "app"
    shutil.copytree(dbt_shop.path, folder)
    return DbtShop(folder, [])


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


def test_another_schema_is_parsed_for(moved: DbtShop) -> None:
    profile = moved.profile(schema="analytics")
    resource = build_resource(moved, profile)

    invocation = resource.cli(["list", "--select", "stg_orders", "--output", "json", "--output-keys", "schema"]).wait()
    log = (invocation.target_path / "dbt.log").read_text()

    assert "analytics_silver" in log
    assert NOT_PARSED not in log
