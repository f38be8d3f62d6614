"""The quickstart's Complete Example, as it stands, with modules and a dbt project of the names it uses."""

import os
import shutil
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from floe_dagster.resources import CatalogResource

pytestmark = pytest.mark.usefixtures("forked_dbt")

EXAMPLE = Path(__file__).parent.parent / "projects" / "ecommerce"


@pytest.fixture(scope="module")
def ecommerce(forked_dbt: None, tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    folder = tmp_path_factory.mktemp("example") / "ecommerce_project"
    shutil.copytree(EXAMPLE, folder)
    project = ProjectFolder(folder)
    compile_project(project, environ=os.environ)
    return project


@pytest.fixture(scope="module")
def definitions(ecommerce: ProjectFolder) -> dg.Definitions:
    return FloeDefinitions.from_compiled_artifacts(ecommerce.artifacts_file, namespace="ecommerce")


def keys_of(job: dg.JobDefinition) -> set[str]:
    return {key.to_user_string() for key in job.asset_layer.selected_asset_keys}


@pytest.mark.requirement("010-FR-006", "010-FR-008", "010-SC-002")
def test_each_dbt_model_is_an_asset_joined_to_the_python_assets(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()

    parents = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert parents == {
        "external/customers": set(),
        "bronze_customers": {"external/customers"},
        "bronze_orders": {"bronze_customers"},
        "silver/stg_customers": {"bronze_customers"},
        "silver/stg_orders": {"bronze_orders"},
        "gold/customer_orders": {"silver/stg_customers", "silver/stg_orders"},
        "gold_customer_summary": {"silver/stg_customers", "silver/stg_orders"},
        "table_inventory": {"gold_customer_summary"},
    }


@pytest.mark.requirement("010-FR-018", "010-FR-020")
def test_jobs_select_the_layers_by_group(definitions: dg.Definitions) -> None:
    assert keys_of(definitions.resolve_job_def("bronze_refresh")) == {"bronze_customers", "bronze_orders"}
    assert keys_of(definitions.resolve_job_def("full_pipeline")) == {
        "bronze_customers",
        "bronze_orders",
        "silver/stg_customers",
        "silver/stg_orders",
        "gold/customer_orders",
        "gold_customer_summary",
    }


@pytest.mark.requirement("010-FR-024", "010-FR-025", "010-FR-026")
def test_the_daily_schedule_runs_in_new_york_time(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("daily_bronze")

    assert (schedule.cron_schedule, schedule.execution_timezone, schedule.job_name) == (
        "0 6 * * *",
        "America/New_York",
        "bronze_refresh",
    )
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


@pytest.mark.requirement("010-FR-015")
def test_the_patterns_of_the_assets_section_are_in_effect(definitions: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    daily = dg.DailyPartitionsDefinition("2024-01-01")

    assert {key: (spec.partitions_def, spec.group_name) for key, spec in specs.items()} == {
        "external/customers": (None, "default"),
        "bronze_customers": (daily, "bronze"),
        "bronze_orders": (daily, "bronze"),
        "silver/stg_customers": (None, "silver"),
        "silver/stg_orders": (None, "silver"),
        "gold/customer_orders": (None, "gold"),
        "gold_customer_summary": (daily, "gold"),
        "table_inventory": (None, "ops"),
    }
    assert definitions.resolve_job_def("bronze_refresh").partitions_def == daily


@pytest.mark.requirement("010-FR-006", "010-FR-008")
def test_the_full_pipeline_builds_every_table_from_what_was_written_before(
    ecommerce: ProjectFolder, definitions: dg.Definitions
) -> None:
    catalog = CatalogResource.embedded(ecommerce.floe_dir)
    customers = {"customer_id": [1, 2, None], "email": ["a@example.org", "b@example.org", "c@example.org"]}
    catalog.write_table("external.customers", pa.table(customers))
    pipeline = definitions.resolve_job_def("full_pipeline")

    with dg.DagsterInstance.ephemeral() as instance:
        result = pipeline.execute_in_process(instance=instance, partition_key="2024-01-01")
        assert result.success
        assert len(result.get_asset_check_evaluations()) == 4
        assert all(check.passed for check in result.get_asset_check_evaluations())
        assert pipeline.execute_in_process(instance=instance, partition_key="2024-01-02").success

    orders = catalog.read_table("gold.customer_orders").sort_by("customer_id").to_pylist()
    assert orders == [
        {"customer_id": 1, "orders": 4, "amount": 60.0},
        {"customer_id": 2, "orders": 2, "amount": 11.0},
    ]
    summary = catalog.read_table("gold.customer_summary").sort_by(
        [("as_of", "ascending"), ("customer_id", "ascending")]
    )
    assert [(row["as_of"].isoformat(), row["amount_sum"]) for row in summary.to_pylist()] == [
        ("2024-01-01", 30.0),
        ("2024-01-01", 5.5),
        ("2024-01-02", 60.0),
        ("2024-01-02", 11.0),
    ]
