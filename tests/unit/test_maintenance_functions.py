"""The functions of floe_dagster.maintenance as ops jobs of a floe.yaml."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from inline_snapshot import snapshot

from builders import floe_yaml
from floe_core.errors import FloeError
from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from floe_dagster.resources.catalog import CatalogResource
from iceberg_tables import make_old, plant
from plugins.user_project import UserProject


def run_job(project: UserProject, job: str, *, platform: str = "", raise_on_error: bool = True) -> Any:
    """Run an ops job that a floe.yaml has, on the catalog that belongs to it."""
    project.write({"platform.yaml": platform or "x-note: none"})
    folder = load(project, job)
    return folder.execute_in_process(raise_on_error=raise_on_error)


def load(project: UserProject, job: str) -> dg.JobDefinition:
    project.write({"floe.yaml": floe_yaml(f"jobs:\n  care: {{type: ops, {job}}}")})
    folder = ProjectFolder(project.path)
    compile_project(folder, environ=os.environ)
    return FloeDefinitions.from_compiled_artifacts(folder.artifacts_file).resolve_job_def("care")


def catalog_of(project: UserProject) -> CatalogResource:
    return CatalogResource.embedded(project.path / ".floe")


def write(project: UserProject, count: int, *, name: str = "bronze.t") -> CatalogResource:
    catalog = catalog_of(project)
    for number in range(count):
        catalog.write_table(name, pa.table({"id": [number]}), mode="append")
    make_old(project.path / ".floe" / "warehouse")
    return catalog


def metadata_of(result: Any) -> dict[str, Any]:
    (event,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    values = event.step_output_data.metadata.items()
    return {name: getattr(value, "records", None) or value.value for name, value in values}


def rows_of(table: Any) -> list[dict[str, object]]:
    return [dict(record.data) for record in table]


@pytest.mark.requirement("010-FR-021", "010-FR-022")
def test_a_vacuum_named_in_floe_yaml_frees_what_its_arguments_say(user_project: UserProject) -> None:
    write(user_project, 1)
    catalog = write(user_project, 1, name="gold.t")
    lost = plant(Path(catalog.load_table("bronze.t").location()) / "data" / "lost.parquet", days=2)
    other = plant(Path(catalog.load_table("gold.t").location()) / "lost.parquet", days=2)

    job = "target_function: floe_dagster.maintenance.vacuum, args: {{tables: ['bronze.*'], grace: {}, dry_run: false}}"
    kept = metadata_of(run_job(user_project, job.format("3d")))
    was_kept = lost.exists()
    freed = metadata_of(run_job(user_project, job.format("1d")))

    assert was_kept
    assert not lost.exists()
    assert other.exists()
    assert (kept["removed_files"], kept["kept_unreferenced_bytes"]) == (0, 100)
    assert (freed["removed_files"], freed["removed_bytes"], freed["dry_run"]) == (1, 100, False)
    assert [row["table"] for row in rows_of(freed["tables"])] == ["bronze.t"]


def test_a_vacuum_deletes_nothing_unless_told_so(user_project: UserProject) -> None:
    catalog = write(user_project, 1)
    lost = plant(Path(catalog.load_table("bronze.t").location()) / "data" / "lost.parquet")

    metadata = metadata_of(run_job(user_project, "target_function: floe_dagster.maintenance.vacuum"))

    assert lost.exists()
    assert (metadata["dry_run"], metadata["removed_files"]) == (True, 1)


def test_what_platform_yaml_says_is_the_default_and_the_floor(user_project: UserProject) -> None:
    catalog = write(user_project, 3)
    lost = plant(Path(catalog.load_table("bronze.t").location()) / "data" / "lost.parquet", days=8)
    vacuum = "target_function: floe_dagster.maintenance.vacuum, args: {dry_run: false, retention: 1ms"
    platform = "maintenance: {orphan_grace: 9d, retain_last: 2}"

    by_default = metadata_of(run_job(user_project, f"{vacuum}}}", platform=platform))
    refused = run_job(user_project, f"{vacuum}, grace: 3d}}", platform=platform, raise_on_error=False)
    weak = run_job(user_project, f"{vacuum}, retain_last: 1}}", platform=platform, raise_on_error=False)

    assert (by_default["removed_files"], by_default["kept_snapshots"]) == (1, 2)  # one manifest list of ten days
    assert lost.exists()
    for result, said in ((refused, "orphan_grace: 9d"), (weak, "retain_last: 2")):
        assert not result.success
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        assert (
            f"platform.yaml says `maintenance: {{{said}}}`" in failure.step_failure_data.user_failure_data.description
        )


def test_a_platform_that_would_lower_the_floor_does_not_load(user_project: UserProject) -> None:
    user_project.write({"platform.yaml": "maintenance: {orphan_grace: 10m}"})

    with pytest.raises(FloeError, match="a grace is an hour at least"):
        load(user_project, "target_function: floe_dagster.maintenance.vacuum")


def test_small_files_are_put_together(user_project: UserProject) -> None:
    catalog = write(user_project, 6)
    before = catalog.read_table("bronze.t")

    job = "target_function: floe_dagster.maintenance.compact, args: {min_files: 3, target_file_size_mb: 64}"
    metadata = metadata_of(run_job(user_project, job))

    assert {name: metadata[name] for name in ("files_before", "files_after", "rewritten_rows")} == {
        "files_before": 6,
        "files_after": 1,
        "rewritten_rows": 6,
    }
    assert catalog.read_table("bronze.t").equals(before)


def test_snapshots_expire_and_orphans_go_each_by_itself(user_project: UserProject) -> None:
    catalog = write(user_project, 4)
    expire = "target_function: floe_dagster.maintenance.expire_snapshots, args: {retention: 1ms, retain_last: 2}"
    remove = "target_function: floe_dagster.maintenance.remove_orphans, args: {dry_run: false}"

    expired = metadata_of(run_job(user_project, expire))
    removed = metadata_of(run_job(user_project, remove))

    assert (expired["expired_snapshots"], expired["kept_snapshots"]) == (2, 2)
    assert removed["removed_files"] == 2  # manifest lists
    assert len(catalog.load_table("bronze.t").snapshots()) == 2
    assert catalog.read_table("bronze.t").num_rows == 4


def test_tables_are_measured(user_project: UserProject) -> None:
    write(user_project, 2)
    write(user_project, 3, name="gold.t")

    job = "target_function: floe_dagster.maintenance.statistics, args: {tables: '*'}"
    metadata = metadata_of(run_job(user_project, job))

    assert (metadata["files"], metadata["rows"], metadata["snapshots"]) == (5, 5, 5)
    assert {row["table"]: row["rows"] for row in rows_of(metadata["tables"])} == {"bronze.t": 2, "gold.t": 3}


def test_a_table_that_fails_keeps_no_other_from_its_turn(user_project: UserProject) -> None:
    catalog = write(user_project, 1)
    write(user_project, 1, name="bronze.a")
    write(user_project, 1, name="bronze.z")
    table = catalog.load_table("bronze.t")
    snapshot_of_it = table.current_snapshot()
    assert snapshot_of_it is not None
    Path(snapshot_of_it.manifest_list).unlink()
    lost = [plant(Path(catalog.load_table(name).location()) / "lost.parquet") for name in ("bronze.a", "bronze.z")]

    job = "target_function: floe_dagster.maintenance.remove_orphans, args: {dry_run: false}"
    result = run_job(user_project, job, raise_on_error=False)

    assert not result.success
    assert not any(path.exists() for path in lost)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    told = failure.step_failure_data.user_failure_data
    assert told.description.splitlines()[0] == snapshot("these tables could not be looked after: bronze.t")
    assert told.metadata["removed_files"].value == 2
    assert [row["table"] for row in rows_of(told.metadata["failed"].records)] == ["bronze.t"]


def test_skipped_tables_are_shown_with_the_reason(user_project: UserProject) -> None:
    write(user_project, 1)

    metadata = metadata_of(run_job(user_project, "target_function: floe_dagster.maintenance.compact"))

    assert rows_of(metadata["skipped"]) == [
        {"table": "bronze.t", "reason": "nothing to do: no partition has 5 small files or more"}
    ]


def test_the_resource_can_be_sent_to_another_process_with_its_rules() -> None:
    import pickle

    catalog = CatalogResource(properties={"type": "sql"}, maintenance={"orphan_grace": "9d"})

    assert pickle.loads(pickle.dumps(catalog)).maintenance == {"orphan_grace": "9d"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("grace: 0d", "a length of time is longer than zero"),
        ("grace: 30m", "a grace is an hour at least"),
        ("retention: '7'", "a length of time has a unit"),
        ("retention: 7", "the parameter is `retention: Optional[str]`"),
        ("retention: 7", "write '7s', '7m', '7h' or '7d'"),
        ("retain_last: many", "a valid integer"),
        ("retain_last: 0", "a table without a snapshot has no rows"),
        ("tabels: [bronze.*]", "did you mean 'tables'?"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused_before_anything_runs(
    user_project: UserProject, args: str, said: str
) -> None:
    with pytest.raises(FloeError) as caught:
        load(user_project, f"target_function: floe_dagster.maintenance.vacuum, args: {{{args}}}")

    assert "FLOE-314" in str(caught.value)
    assert said in str(caught.value)


def test_sizes_and_numbers_of_files_that_cannot_be_meant_are_refused_before_anything_runs(
    user_project: UserProject,
) -> None:
    args = "min_files: 1, target_file_size_mb: 0"
    with pytest.raises(FloeError) as caught:
        load(user_project, f"target_function: floe_dagster.maintenance.compact, args: {{{args}}}")

    assert [problem.fix for problem in caught.value.problems] == ["write 2 or more", "write 1 or more"]
