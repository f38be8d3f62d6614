"""Which line decides each field of an asset, as `floe list assets --explain` shows it."""

import json

import pytest
from inline_snapshot import snapshot

from builders import fold
from floe_cli.main import run_command_line
from plugins.user_project import UserProject

FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules:
            - {module: assets, group_name: of_the_entry}
          partitions:
            daily: {type: time_window, start: "2024-01-01"}
          assets:
            "*":
              owners: [team:data]
              metadata: {sla: 24, unit: hours}
              compute_kind: duckdb
            "orders*":
              partitions: daily
              partition_column: ordered_on
              backfill_policy: {type: multi_run, max_partitions_per_run: 5}
              automation_condition: "on_cron('0 6 * * *')"
              metadata: {sla: 12}
              retry_policy: {max_retries: 3, delay: 10, backoff: exponential}
              freshness: {fail_after: 36h, warn_after: 1d}
              config: {limit: 5}
        """,
    "assets.py": """
        import dagster as dg
        from floe_dagster import floe_asset

        class Limits(dg.Config):
            limit: int

        @floe_asset(inputs=["export.orders"], outputs=["bronze.orders"], tags={"layer": "bronze"}, kinds={"python"})
        def orders(config: Limits):
            "Every order."
            return {}

        @floe_asset(group_name="reports", pool="reports")
        def report():
            return {}
        """,
}


@pytest.fixture(autouse=True)
def _project(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FLOE_PROJECT_DIR", "DAGSTER_HOME"):  # set by the code under test
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    user_project.write(FILES)


def shown(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_command_line(["list", *arguments]) == 0
    lines = (line.rstrip() for line in capfd.readouterr().out.splitlines())
    return fold(line for line in lines if line and "──" not in line)


def test_every_field_stands_beside_what_decides_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert shown(capfd, "assets", "--explain", "orders") == snapshot("""\
orders  assets.py:7
 field                  value                                                        decided by
 partitions             daily: a time window of '0 0 * * *' from 2024-01-01 in UTC   floe.yaml:13:19 'orders*'
 partition_column       ordered_on                                                   floe.yaml:14:25 'orders*'
 automation_condition   on_cron('0 6 * * *')                                         floe.yaml:16:29 'orders*'
 backfill_policy        multi_run, 5 in a run                                        floe.yaml:15:24 'orders*'
 config                 limit: 5                                                     floe.yaml:20:15 'orders*'
 group_name             of_the_entry                                                 floe.yaml:4:16
    orchestration.asset_modules[0].module
 compute_kind           duckdb                                                       floe.yaml:11:21 '*'
 kinds                  duckdb, python                                               floe.yaml:11:21 '*'
 owners                 team:data                                                    floe.yaml:9:15 '*'
 tags                   layer: bronze                                                assets.py:7
 metadata.sla           12                                                           floe.yaml:17:23 'orders*'
 metadata.unit          hours                                                        floe.yaml:10:33 '*'
 description            Every order.                                                 assets.py:7
 retry_policy           3 times, after 10 s, exponential                             floe.yaml:18:21 'orders*'
 freshness              fails after 1d12h, warns after 1d                            floe.yaml:19:18 'orders*'
not set: code_version, pool\
""")


def test_what_the_code_and_the_entry_of_asset_modules_decide(capfd: pytest.CaptureFixture[str]) -> None:
    assert shown(capfd, "--explain", "report") == snapshot("""\
report  assets.py:12
 field           value       decided by
 group_name      reports     assets.py:12
 compute_kind    duckdb      floe.yaml:11:21 '*'
 kinds           duckdb      floe.yaml:11:21 '*'
 owners          team:data   floe.yaml:9:15 '*'
 metadata.sla    24          floe.yaml:10:23 '*'
 metadata.unit   hours       floe.yaml:10:33 '*'
 pool            reports     assets.py:12
not set: partitions, partition_column, automation_condition, backfill_policy, tags, description, code_version,
    retry_policy, freshness\
""")


def test_an_external_asset_has_defaults_only(capfd: pytest.CaptureFixture[str]) -> None:
    assert shown(capfd, "--explain", "export/orders") == snapshot("""\
export/orders (external)
not set: partitions, partition_column, automation_condition, backfill_policy, group_name, kinds, owners, tags,
    description, code_version, pool, retry_policy, freshness\
""")


def test_a_machine_gets_the_place_in_parts(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["list", "--explain", "orders", "--format", "json"]) == 0

    asset = json.loads(capfd.readouterr().out)
    fields = {field["field"]: field for field in asset["fields"]}
    assert fields["metadata.sla"] == snapshot(
        {
            "field": "metadata.sla",
            "value": 12,
            "decided_by": "floe.yaml:17:23 'orders*'",
            "pattern": "orders*",
            "file": "floe.yaml",
            "line": 17,
            "column": 23,
            "yaml_path": "orchestration.assets.orders*.metadata.sla",
        }
    )
    assert fields["tags"]["value"] == {"layer": "bronze"}
    assert fields["pool"] == snapshot(
        {
            "field": "pool",
            "value": None,
            "decided_by": None,
            "pattern": None,
            "file": None,
            "line": None,
            "column": None,
            "yaml_path": None,
        }
    )


def test_a_key_that_does_not_exist_gets_the_closest(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["list", "--explain", "oders"]) == 1

    assert capfd.readouterr().err.strip() == snapshot("""\
error[FLOE-331]: there is no asset 'oders'
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'orders'?\
""")


def test_a_name_that_several_assets_have_is_an_error(
    user_project: UserProject, capfd: pytest.CaptureFixture[str]
) -> None:
    user_project.write(
        {
            "assets.py": """
            import dagster as dg

            orders = dg.asset(name="orders", key_prefix="a")(lambda: None)
            others = dg.asset(name="orders", key_prefix="b")(lambda: None)
            """,
            "floe.yaml": "orchestration: {asset_modules: [assets]}",
        }
    )

    assert run_command_line(["list", "--explain", "orders"]) == 1

    assert capfd.readouterr().err.strip() == snapshot("""\
error[FLOE-332]: 'orders' may be any of 2 assets
  why: the keys a/orders, b/orders all end so
  fix: write the whole key\
""")


def test_only_assets_are_explained(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["list", "jobs", "--explain", "orders"]) == 2

    assert "--explain takes the key of an asset" in capfd.readouterr().err
