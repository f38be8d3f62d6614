"""`FloeDefinitions.from_compiled_artifacts` on small projects without dbt."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType
from inline_snapshot import snapshot

from floe_core.compiler.artifacts import CompiledArtifacts
from floe_core.errors import FloeError, LoadError
from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from plugins.user_project import UserProject

FILES = {
    "floe.yaml": """
        name: shop
        orchestration:
          asset_modules: [.assets]
          jobs:
            nightly: {type: batch, selection: ["group:bronze"]}
          schedules:
            every_night:
              job: nightly
              cron_schedule: "0 2 * * *"
              enabled: ${NIGHTS:true}
        """,
    "assets.py": """
        import dagster as dg
        from floe_dagster import floe_asset

        @floe_asset(group_name="bronze", outputs="bronze.orders")
        def orders() -> None:
            "Every order."

        @floe_asset(group_name="silver", inputs=["bronze.orders", "raw.rates"])
        def order_values(context, catalog) -> dict:
            return {"rows": len(catalog.list_tables())}
        """,
}


@pytest.fixture
def shop(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> UserProject:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv("DAGSTER_IS_DEV_CLI", raising=False)
    # Dagster notes for the whole process that a run was carried out in it, as other tests do.
    monkeypatch.setattr(DefinitionsLoadContext, "_instance", None)
    user_project.write(FILES)
    return user_project


def compiled(project: UserProject, environ: Mapping[str, str] = os.environ) -> CompiledArtifacts:
    return compile_project(ProjectFolder(project.path), environ=environ).artifacts


def message_of(error: pytest.ExceptionInfo[FloeError]) -> str:
    return str(error.value)


@pytest.mark.requirement("010-FR-001", "010-FR-018", "010-FR-020", "010-FR-024")
def test_assets_jobs_and_schedules_of_floe_yaml_are_in_the_definitions(shop: UserProject) -> None:
    compiled(shop)

    repository = FloeDefinitions.from_compiled_artifacts().get_repository_def()

    assert {key.to_user_string() for key in repository.asset_graph.materializable_asset_keys} == {
        "orders",
        "order_values",
    }
    assert repository.has_job("nightly")
    assert repository.get_schedule_def("every_night").cron_schedule == "0 2 * * *"


def test_a_job_of_its_own_executor_is_one_job_for_whatever_starts_it(shop: UserProject) -> None:
    shop.write(
        {
            "floe.yaml": """
                name: shop
                orchestration:
                  asset_modules: [.assets]
                  jobs:
                    nightly: {type: batch, selection: ["group:bronze"], executor: in_process}
                  schedules:
                    every_night: {job: nightly, cron_schedule: "0 2 * * *"}
                    every_hour: {job: spare, cron_schedule: "0 * * * *"}
                  sensors:
                    follow: {type: asset_sensor, watched_assets: order_values, jobs: [nightly, spare]}
                  backfills:
                    again: {job: daily, partition_keys: ["2024-03-01"]}
                """,
            "assets.py": f"""{FILES["assets.py"]}
        spare = dg.define_asset_job("spare", "orders", executor_def=dg.in_process_executor)
        spare_now = dg.SensorDefinition("spare_now", evaluation_fn=lambda _: dg.SkipReason(), job=spare)

        @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-03-01"))
        def figures() -> None: ...

        daily = dg.define_asset_job("daily", "figures", executor_def=dg.multiprocess_executor)
        """,
        }
    )
    compiled(shop)

    repository = FloeDefinitions.from_compiled_artifacts().get_repository_def()

    assert repository.get_schedule_def("every_night").job_name == "nightly"
    assert repository.get_schedule_def("every_hour").job_name == "spare"
    started = {sensor.name: [target.job_name for target in sensor.targets] for sensor in repository.sensor_defs}
    assert started["follow"] == ["nightly", "spare"]
    assert started["spare_now"] == ["spare"]
    assert started["again_backfill"] == ["daily"]
    assert repository.get_job("nightly").executor_def.name == "in_process"


def test_an_asset_depends_on_the_writer_of_its_table_and_on_tables_from_elsewhere(shop: UserProject) -> None:
    compiled(shop)

    graph = FloeDefinitions.from_compiled_artifacts().resolve_asset_graph()

    parents = graph.get(dg.AssetKey("order_values")).parent_keys
    assert parents == {dg.AssetKey("orders"), dg.AssetKey(["raw", "rates"])}
    assert not graph.get(dg.AssetKey(["raw", "rates"])).is_executable


@pytest.mark.requirement("010-FR-027", "010-FR-045")
def test_the_environment_is_read_when_definitions_load_and_not_when_they_are_compiled(
    shop: UserProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = compiled(shop, {"NIGHTS": "true"})
    monkeypatch.setenv("NIGHTS", "false")

    schedule = FloeDefinitions.from_compiled_artifacts().resolve_schedule_def("every_night")

    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert artifacts.document["orchestration"]["schedules"]["every_night"]["enabled"] == "${NIGHTS:true}"  # type: ignore[index]  # JSON


@pytest.mark.requirement("010-FR-046", "010-FR-047")
def test_a_variable_that_is_not_set_stops_loading(shop: UserProject) -> None:
    shop.write({"floe.yaml": FILES["floe.yaml"].replace("${NIGHTS:true}", "${NIGHTS}")})
    compiled(shop, {})

    with pytest.raises(FloeError) as error:
        FloeDefinitions.from_compiled_artifacts()

    assert message_of(error) == snapshot("""\
error[FLOE-111]: environment variable 'NIGHTS' is not set
  --> floe.yaml:10:16  orchestration.schedules.every_night.enabled
   |  enabled: ${NIGHTS}
  why: line 10 uses it without a default
  fix: set NIGHTS, or write a default: ${NIGHTS:value}\
""")


def test_an_executor_that_the_environment_does_not_have_stops_loading(shop: UserProject) -> None:
    shop.write(
        {
            "floe.yaml": FILES["floe.yaml"].replace('"group:bronze"]', '"group:bronze"], executor: big'),
            "platform.yaml": "execution: {big: {type: multiprocess}}",
        }
    )
    compiled(shop)
    (shop.path / "platform.yaml").unlink()

    with pytest.raises(FloeError) as error:
        FloeDefinitions.from_compiled_artifacts()

    assert message_of(error) == snapshot("""\
error[FLOE-231]: job 'nightly' uses executor 'big', which does not exist
  --> floe.yaml:5:67  orchestration.jobs.nightly.executor
   |  nightly: {type: batch, selection: ["group:bronze"], executor: big}
  why: executors are in_process, multiprocess and the profiles under execution of platform.yaml (default)
  fix: add 'big' under execution of platform.yaml\
""")


def test_missing_artifacts_are_an_error_that_names_the_command(shop: UserProject) -> None:
    with pytest.raises(FloeError) as error:
        FloeDefinitions.from_compiled_artifacts()

    assert message_of(error) == snapshot("""\
error[FLOE-220]: there are no compiled artifacts
  --> .floe/compiled_artifacts.json
  fix: run 'floe compile'\
""")


def test_stale_artifacts_are_an_error_that_names_the_command(shop: UserProject) -> None:
    compiled(shop)
    shop.write({"floe.yaml": FILES["floe.yaml"].replace("0 2 * * *", "0 3 * * *")})

    with pytest.raises(FloeError) as error:
        FloeDefinitions.from_compiled_artifacts()

    assert message_of(error) == snapshot("""\
error[FLOE-221]: the compiled artifacts are stale
  --> .floe/compiled_artifacts.json
  why: floe.yaml has changed since
  fix: run 'floe compile'\
""")


def test_a_file_that_was_only_touched_is_not_stale(shop: UserProject) -> None:
    compiled(shop)
    os.utime(shop.path / "floe.yaml", (0, 0))

    assert FloeDefinitions.from_compiled_artifacts().resolve_schedule_def("every_night")


def test_stale_artifacts_are_compiled_anew_under_dagster_dev(
    shop: UserProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(shop)
    shop.write({"floe.yaml": FILES["floe.yaml"].replace("0 2 * * *", "0 3 * * *")})
    monkeypatch.setenv("DAGSTER_IS_DEV_CLI", "1")

    schedule = FloeDefinitions.from_compiled_artifacts().resolve_schedule_def("every_night")

    assert schedule.cron_schedule == "0 3 * * *"


def test_a_step_process_takes_the_artifacts_as_they_are(shop: UserProject) -> None:
    compiled(shop)
    shop.write({"floe.yaml": FILES["floe.yaml"].replace("0 2 * * *", "0 3 * * *")})
    before = DefinitionsLoadContext.get()
    DefinitionsLoadContext.set(DefinitionsLoadContext(load_type=DefinitionsLoadType.RECONSTRUCTION))
    try:
        schedule = FloeDefinitions.from_compiled_artifacts().resolve_schedule_def("every_night")
    finally:
        DefinitionsLoadContext.set(before)

    assert schedule.cron_schedule == "0 2 * * *"


def test_artifacts_may_be_passed_as_their_content(shop: UserProject) -> None:
    artifacts = compiled(shop)
    (shop.path / ".floe" / "compiled_artifacts.json").unlink()

    definitions = FloeDefinitions.from_compiled_artifacts(artifacts_dict=json.loads(artifacts.model_dump_json()))

    assert definitions.resolve_job_def("nightly")


def test_artifacts_alone_are_enough_where_floe_yaml_was_not_shipped(
    shop: UserProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(shop)
    (shop.path / "floe.yaml").unlink()

    definitions = FloeDefinitions.from_compiled_artifacts(shop.path / ".floe" / "compiled_artifacts.json")

    assert definitions.resolve_job_def("nightly")


def test_what_is_passed_is_merged_and_may_be_referred_to(shop: UserProject) -> None:
    shop.write(
        {
            "floe.yaml": FILES["floe.yaml"]
            .replace('["group:bronze"]', '["group:bronze", "extra"]')
            .replace("job: nightly", "job: by_hand")
        }
    )
    compiled(shop)

    @dg.asset
    def extra() -> None: ...

    @dg.sensor(job_name="nightly")
    def watcher() -> None: ...

    by_hand = dg.define_asset_job("by_hand", ["extra"])
    definitions = FloeDefinitions.from_compiled_artifacts(assets=[extra], jobs=[by_hand], sensors=[watcher])

    nightly = definitions.resolve_job_def("nightly")
    assert nightly.asset_layer.selected_asset_keys == {dg.AssetKey("orders"), dg.AssetKey("extra")}
    assert definitions.resolve_schedule_def("every_night").job_name == "by_hand"
    assert definitions.resolve_sensor_def("watcher")


def test_two_things_of_one_name_are_told_with_both_places(shop: UserProject) -> None:
    compiled(shop)

    @dg.asset
    def orders() -> None: ...

    with pytest.raises(FloeError) as error:
        FloeDefinitions.from_compiled_artifacts(assets=[orders])

    assert message_of(error) == snapshot("""\
error[FLOE-360]: there are two assets with the key 'orders'
  --> assets.py:4
   |  @floe_asset(group_name="bronze", outputs="bronze.orders")
  why: one comes from assets.py:4, the other from the call of from_compiled_artifacts
  fix: give one of them another key, or leave one out\
""")


def test_two_jobs_of_one_name_are_told_with_both_places(shop: UserProject) -> None:
    compiled(shop)

    with pytest.raises(FloeError) as error:
        FloeDefinitions.from_compiled_artifacts(jobs=[dg.define_asset_job("nightly")])

    assert message_of(error) == snapshot("""\
error[FLOE-360]: there are two jobs named 'nightly'
  --> floe.yaml:5:5  orchestration.jobs.nightly
   |  nightly: {type: batch, selection: ["group:bronze"]}
  why: one comes from floe.yaml:5:5, the other from the call of from_compiled_artifacts
  fix: give one of them another name, or leave one out\
""")


def test_a_passed_resource_wins_over_the_built_one(shop: UserProject) -> None:
    compiled(shop)

    class FakeCatalog(dg.ConfigurableResource):  # type: ignore[type-arg]  # Dagster's own way to write it
        def list_tables(self) -> list[str]:
            return ["one", "two"]

    definitions = FloeDefinitions.from_compiled_artifacts(resources={"catalog": FakeCatalog()})
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[dg.AssetKey("order_values")]
    )

    [materialization] = result.asset_materializations_for_node("order_values")
    assert materialization.metadata["rows"].value == 2


@pytest.mark.requirement("010-FR-005", "010-SC-004")
def test_a_definitions_file_loads_from_any_working_directory(shop: UserProject, tmp_path: Path) -> None:
    shop.write(
        {
            "definitions.py": """
                from floe_dagster import FloeDefinitions

                defs = FloeDefinitions.from_compiled_artifacts(namespace="shop")
                """
        }
    )
    compiled(shop)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-f", str(shop.path / "definitions.py")],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_everything_wrong_in_one_stage_is_told_at_once(shop: UserProject) -> None:
    shop.write(
        {
            "floe.yaml": """
                orchestration:
                  asset_modules: [.assets]
                  jobs:
                    nightly: {type: batch, selection: ["group:bronce"]}
                    weekly: {type: batch, selection: [ordres]}
                """
        }
    )
    compiled(shop)

    with pytest.raises(FloeError) as error:
        FloeDefinitions.from_compiled_artifacts()

    assert message_of(error) == snapshot("""\
error[FLOE-331]: job 'nightly' selects group 'bronce', which no asset has
  --> floe.yaml:4:41  orchestration.jobs.nightly.selection[0]
   |  nightly: {type: batch, selection: ["group:bronce"]}
  why: the groups are bronze, default, silver
  fix: did you mean 'bronze'?

error[FLOE-331]: job 'weekly' selects asset 'ordres', which does not exist
  --> floe.yaml:5:39  orchestration.jobs.weekly.selection[0]
   |  weekly: {type: batch, selection: [ordres]}
  why: an asset is named by its whole key, or by the last part of it where no other key ends so
  fix: did you mean 'orders'?

2 errors\
""")


def test_what_loading_stumbles_over_after_a_mistake_is_told_beside_it(
    shop: UserProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write({"floe.yaml": "orchestration: {asset_modules: [.asets]}"})
    compiled(shop)
    monkeypatch.setattr("floe_dagster.loading.check_no_cycle", None)

    with pytest.raises(LoadError) as error:
        FloeDefinitions.from_compiled_artifacts()

    assert message_of(error) == snapshot("""\
error[FLOE-301]: module 'asets' does not exist
  --> floe.yaml:1:33  orchestration.asset_modules[0]
   |  orchestration: {asset_modules: [.asets]}
  why: there is no 'asets' in the project folder (.) or on Python's path
  fix: did you mean 'assets'?

warning[FLOE-308]: loading ended with TypeError
      TypeError: 'NoneType' object is not callable
  why: what is built after a mistake may stumble over it
  fix: mend the errors first; what is wrong beside them is told then

1 error, 1 warning\
""")


def test_a_field_that_the_instance_does_not_honour_is_told_once(
    shop: UserProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    shop.write({"floe.yaml": FILES["floe.yaml"].replace('["group:bronze"]}', '["group:bronze"], max_retries: 2}')})
    compiled(shop)
    monkeypatch.setenv("DAGSTER_HOME", str(home))

    FloeDefinitions.from_compiled_artifacts()

    assert capsys.readouterr().err == snapshot("""\
warning[FLOE-428]: max_retries does nothing on this Dagster instance (nightly)
  --> floe.yaml:5:70  orchestration.jobs.nightly.max_retries
   |  nightly: {type: batch, selection: ["group:bronze"], max_retries: 2}
  why: Dagster honours it only where run_retries is enabled, and dagster.yaml of the instance does not say so
  fix: add to dagster.yaml: run_retries: {enabled: true}
""")
