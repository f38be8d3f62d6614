"""The sensors that evaluate automation conditions, in whole projects."""

import os
from textwrap import dedent, indent

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_core.errors import FloeError, render_problems
from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from floe_dagster.definitions import recorded_loads
from plugins.user_project import UserProject

DEFAULT = "default_automation_condition_sensor"
ASSETS = """
    import dagster as dg

    raw = dg.AssetSpec("raw", group_name="external")

    @dg.asset(group_name="bronze", deps=["raw"])
    def orders(): ...

    @dg.asset(group_name="bronze")
    def customers(): ...

    @dg.asset(group_name="gold", deps=[orders, customers])
    def revenue(): ...

    @dg.asset(group_name="gold", deps=[revenue])
    def report(): ...
"""


@pytest.fixture
def shop(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> UserProject:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    user_project.write({"assets.py": ASSETS})
    return user_project


def load(project: UserProject, orchestration: str, **passed: list[dg.SensorDefinition]) -> dg.Definitions:
    sections = indent(dedent(orchestration).strip("\n"), "  ")
    project.write({"floe.yaml": f"orchestration:\n  asset_modules: [.assets]\n{sections}"})
    compile_project(ProjectFolder(project.path), environ=os.environ)
    return FloeDefinitions.from_compiled_artifacts(**passed)  # type: ignore[arg-type]  # sensors are passed only


def sensors_of(definitions: dg.Definitions) -> dict[str, dg.AutomationConditionSensorDefinition]:
    found = definitions.get_repository_def().sensor_defs
    return {sensor.name: sensor for sensor in found if isinstance(sensor, dg.AutomationConditionSensorDefinition)}


def evaluated(definitions: dg.Definitions) -> dict[str, set[str]]:
    """{sensor: assets with a condition that it evaluates}."""
    graph = definitions.resolve_asset_graph()
    return {
        name: {
            key.to_user_string()
            for key in sensor.asset_selection.resolve(graph)
            if graph.get(key).automation_condition is not None
        }
        for name, sensor in sensors_of(definitions).items()
    }


@pytest.mark.requirement("010-FR-036", "010-FR-039")
def test_conditions_are_evaluated_without_a_switch(shop: UserProject) -> None:
    definitions = load(shop, "assets: {'r*': {automation_condition: eager}}")

    assert evaluated(definitions) == {DEFAULT: {"revenue", "report"}}
    assert sensors_of(definitions)[DEFAULT].default_status is dg.DefaultSensorStatus.RUNNING


def test_without_conditions_there_is_no_sensor(shop: UserProject) -> None:
    assert sensors_of(load(shop, "assets: {'r*': {pool: slow}}")) == {}


def test_a_sensor_of_its_own_takes_its_part(shop: UserProject) -> None:
    definitions = load(
        shop,
        """
        assets: {"**": {automation_condition: on_missing}}
        sensors:
          gold:
            type: automation
            selection: ["group:gold", "!report"]
            run_tags: {team: data}
            poll_interval_seconds: 120
            enabled: false
        """,
    )
    gold = sensors_of(definitions)["gold"]

    assert evaluated(definitions) == {"gold": {"revenue"}, DEFAULT: {"orders", "customers", "report"}}
    assert (gold.run_tags, gold.minimum_interval_seconds) == ({"team": "data"}, 120)
    assert gold.default_status is dg.DefaultSensorStatus.STOPPED


def test_what_all_sensors_of_floe_yaml_cover_needs_no_default(shop: UserProject) -> None:
    definitions = load(
        shop,
        """
        assets: {"**": {automation_condition: on_missing}}
        sensors: {everything: {type: automation, selection: "*"}}
        """,
    )

    assert evaluated(definitions) == {"everything": {"orders", "customers", "revenue", "report"}}


def test_what_is_automated_elsewhere_is_not_automated_here(shop: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project = """
        assets: {"**": {automation_condition: on_missing}}
        sensors: {gold: {type: automation, selection: "group:gold", environments: [prod]}}
        """

    here = load(shop, project)
    shop.write({"platform/prod/platform.yaml": "{}"})
    monkeypatch.setenv("FLOE_PLATFORM_ENV", "prod")
    there = load(shop, project)

    assert evaluated(here) == {DEFAULT: {"orders", "customers"}}
    assert evaluated(there) == {"gold": {"revenue", "report"}, DEFAULT: {"orders", "customers"}}


class TestSensorsOfPythonCode:
    def test_a_default_sensor_of_the_users_own_stays(self, shop: UserProject) -> None:
        own = dg.AutomationConditionSensorDefinition(DEFAULT, target="*", minimum_interval_seconds=7)

        definitions = load(shop, "assets: {'**': {automation_condition: on_missing}}", sensors=[own])

        assert sensors_of(definitions)[DEFAULT].minimum_interval_seconds == 7
        assert set(sensors_of(definitions)) == {DEFAULT}

    def test_what_it_leaves_out_has_a_sensor_of_another_name(self, shop: UserProject) -> None:
        own = dg.AutomationConditionSensorDefinition(DEFAULT, target=dg.AssetSelection.groups("gold"))

        definitions = load(shop, "assets: {'**': {automation_condition: on_missing}}", sensors=[own])

        assert evaluated(definitions) == {
            DEFAULT: {"revenue", "report"},
            "remaining_automation_condition_sensor": {"orders", "customers"},
        }

    def test_conditions_of_the_users_own_classes_are_evaluated_in_the_code_location(self, shop: UserProject) -> None:
        shop.write(
            {
                "shop_conditions.py": """
            import dagster as dg

            class Friday(dg.AutomationCondition):
                def evaluate(self, context):
                    return dg.AutomationResult(context, context.get_empty_subset())

            def friday():
                return Friday() & ~dg.AutomationCondition.in_progress()
            """
            }
        )
        definitions = load(
            shop,
            """
            assets:
              "**": {automation_condition: on_missing}
              report: {automation_condition: {target_function: shop_conditions.friday}}
            """,
        )

        assert evaluated(definitions) == {
            "custom_automation_condition_sensor": {"report"},
            DEFAULT: {"orders", "customers", "revenue"},
        }
        custom = sensors_of(definitions)["custom_automation_condition_sensor"]
        assert custom.sensor_type.value == "AUTOMATION"

    def test_jobs_with_conditions_of_their_own_keep_them(self, shop: UserProject) -> None:
        shop.write(
            {
                "assets.py": ASSETS
                + """
    nightly = dg.define_asset_job(
        "nightly",
        selection="report",
        automation_condition=dg.AutomationCondition.any_job_root_assets_match(dg.AutomationCondition.missing()),
    )
"""
            }
        )

        with pytest.warns(dg.PreviewWarning):
            definitions = load(shop, "assets: {'**': {automation_condition: on_missing}}")

        assert evaluated(definitions) == {DEFAULT: {"orders", "customers", "revenue", "report"}}
        assert {key.job_name for key in sensors_of(definitions)[DEFAULT].asset_job_keys} == {"nightly"}

    @pytest.mark.filterwarnings("ignore:Function `observable_source_asset` is currently in beta")
    @pytest.mark.filterwarnings("ignore:Property `OpDefinition.version` is deprecated:DeprecationWarning")
    def test_checks_and_observations_with_conditions_are_evaluated(self, shop: UserProject) -> None:
        extra = """
    @dg.asset_check(asset=report, automation_condition=dg.AutomationCondition.on_cron("@daily"))
    def report_is_right() -> dg.AssetCheckResult: ...

    @dg.observable_source_asset(automation_condition=dg.AutomationCondition.on_cron("@hourly"))
    def rates(): ...
"""
        shop.write({"assets.py": ASSETS + extra})

        definitions = load(shop, "jobs: {nightly: {type: batch, selection: '*'}}")

        (sensor,) = sensors_of(definitions).values()
        graph = definitions.resolve_asset_graph()
        assert (sensor.name, sensor.default_status) == (DEFAULT, dg.DefaultSensorStatus.RUNNING)
        assert evaluated(definitions) == {DEFAULT: {"rates"}}
        assert {check.name for check in sensor.asset_selection.resolve_checks(graph)} == {"report_is_right"}

    def test_a_sensor_over_the_same_assets_is_refused(self, shop: UserProject) -> None:
        own = dg.AutomationConditionSensorDefinition("own", target=dg.AssetSelection.assets("report"))

        with pytest.raises(FloeError) as caught:
            load(
                shop,
                """
                assets: {"**": {automation_condition: on_missing}}
                sensors: {gold: {type: automation, selection: "group:gold"}}
                """,
                sensors=[own],
            )

        assert str(caught.value) == snapshot("""\
error[FLOE-344]: sensors 'gold' and 'own' both evaluate one asset: report
  --> floe.yaml:4:49  orchestration.sensors.gold.selection
   |  sensors: {gold: {type: automation, selection: "group:gold"}}
  why: in Dagster each asset belongs to one automation sensor, or it would be launched twice
  fix: leave the assets out of one of the two: '!name'\
""")


def test_conditions_may_name_other_assets(shop: UserProject) -> None:
    definitions = load(
        shop,
        """
        assets:
          revenue: {automation_condition: "eager.ignore(['customers', 'raw'])"}
          report: {automation_condition: "eager & ~asset_matches('orders', missing())"}
        """,
    )

    graph = definitions.resolve_asset_graph()
    shown = {name: str(graph.get(dg.AssetKey(name)).automation_condition) for name in ("revenue", "report")}
    assert "customers" in shown["revenue"]
    assert "'orders'" in shown["report"]


def test_what_is_wrong_is_told_at_its_line(shop: UserProject) -> None:
    with pytest.raises(FloeError) as caught:
        load(
            shop,
            """
            assets:
              "r*": {automation_condition: on_cron}
              revenue: {automation_condition: "eager.ignore('group:bronz')"}
              report: {automation_condition: "asset_matches('order', missing())"}
            sensors:
              gold: {type: automation, selection: "group:gold"}
              reports: {type: automation, selection: "r*"}
              silver: {type: automation, selection: "group:silver"}
            """,
        )

    assert str(caught.value) == snapshot("""\
error[FLOE-331]: automation condition of pattern 'revenue' names group 'bronz', which no asset has
  --> floe.yaml:5:51  orchestration.assets.revenue.automation_condition
   |  revenue: {automation_condition: "eager.ignore('group:bronz')"}
  why: the groups are bronze, external, gold
  fix: did you mean 'bronze'?

error[FLOE-347]: automation condition of pattern 'report' names asset 'order', which does not exist
  --> floe.yaml:6:51  orchestration.assets.report.automation_condition
   |  report: {automation_condition: "asset_matches('order', missing())"}
  why: an asset is named by its whole key, or by the last part of it
  fix: did you mean 'orders'?

error[FLOE-344]: sensors 'reports' and 'gold' both evaluate 2 assets: report, revenue
  --> floe.yaml:9:44  orchestration.sensors.reports.selection
   |  reports: {type: automation, selection: "r*"}
  why: in Dagster each asset belongs to one automation sensor, or it would be launched twice
  fix: leave the assets out of one of the two: '!name'

error[FLOE-331]: sensor 'silver' selects group 'silver', which no asset has
  --> floe.yaml:10:44  orchestration.sensors.silver.selection
   |  silver: {type: automation, selection: "group:silver"}
  why: the groups are bronze, external, gold
  fix: write one of these

4 errors\
""")


def test_what_waits_for_ever_is_warned_of(shop: UserProject) -> None:
    with recorded_loads() as loads:
        load(
            shop,
            """
            partitions: {daily: {type: time_window, start: "2024-01-01"}}
            assets:
              "{orders,customers}": {automation_condition: eager}
              revenue: {automation_condition: eager}
              customers: {partitions: daily}
            sensors:
              reports: {type: automation, selection: report}
            """,
        )

    assert render_problems(loads[0].warnings) == snapshot("""\
warning[FLOE-348]: 'eager' never launches asset 'orders'
  --> floe.yaml:5:50  orchestration.assets.{orders,customers}.automation_condition
   |  "{orders,customers}": {automation_condition: eager}
  why: 'eager' waits for assets upstream to be updated, and for new partitions; the assets that it follows are external (raw)
  fix: write 'on_missing' to launch once, or 'on_cron('0 6 * * *')' to launch every day

warning[FLOE-345]: sensor 'reports' has nothing to evaluate
  --> floe.yaml:9:44  orchestration.sensors.reports.selection
   |  reports: {type: automation, selection: report}
  why: none of the assets that it selects has an automation condition
  fix: set 'automation_condition' for them under orchestration.assets

2 warnings\
""")  # noqa: E501 - as it is printed
