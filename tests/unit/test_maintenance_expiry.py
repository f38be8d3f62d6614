from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import time_machine

from floe_core.errors import CatalogError
from floe_dagster.lakehouse.iceberg import IcebergTables
from floe_dagster.lakehouse.maintenance import expiry
from floe_dagster.lakehouse.maintenance.expiry import ExpiryPlan
from floe_dagster.lakehouse.maintenance.report import ExpiredSnapshots
from floe_dagster.resources.catalog import CatalogResource

START = datetime(2024, 1, 1, tzinfo=UTC)
AT_ONCE = timedelta(milliseconds=1)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[CatalogResource]:
    catalog = CatalogResource.embedded(tmp_path / ".floe")
    yield catalog
    catalog._catalog.close()


def write_on_days(catalog: CatalogResource, *days: float) -> list[int]:
    snapshots = []
    for number, day in enumerate(days):
        with time_machine.travel(START + timedelta(days=day)):
            snapshots.append(catalog.write_table("bronze.t", pa.table({"id": [number]})).snapshot_id)
    return snapshots


def expire_on_day(
    catalog: CatalogResource,
    day: float,
    *,
    older_than: str | timedelta | None = AT_ONCE,
    retain_last: int | None = None,
    dry_run: bool = False,
) -> ExpiredSnapshots:
    with time_machine.travel(START + timedelta(days=day)):
        report = catalog.expire_snapshots("bronze.t", older_than=older_than, retain_last=retain_last, dry_run=dry_run)
    return report.of("bronze.t")


def snapshots_of(catalog: CatalogResource) -> list[int]:
    return [snapshot.snapshot_id for snapshot in catalog.load_table("bronze.t").snapshots()]


def reasons_of(expired: ExpiredSnapshots) -> dict[int, str]:
    return {kept.snapshot_id: kept.reason for kept in expired.kept}


def test_what_was_the_state_of_the_table_within_the_retention_stays(catalog: CatalogResource) -> None:
    first, second, third, fourth = write_on_days(catalog, 0, 1, 10, 11)

    result = expire_on_day(catalog, 12, older_than="7d")

    assert result.expired == (first,)
    assert reasons_of(result) == {
        second: "the table's state within the last 7d",  # until day 10
        third: "the table's state within the last 7d",
        fourth: "the current snapshot",
    }
    assert snapshots_of(catalog) == [second, third, fourth]
    for number, snapshot_id in enumerate((second, third, fourth), start=1):
        assert catalog.read_table("bronze.t", snapshot_id=snapshot_id).to_pydict() == {"id": [number]}


def test_the_current_snapshot_tags_and_branches_stay_in_any_case(catalog: CatalogResource) -> None:
    tagged, branched, _, current = write_on_days(catalog, 0, 1, 2, 3)
    table = catalog.load_table("bronze.t")
    table.manage_snapshots().create_tag(tagged, "audit").create_branch(branched, "fix").commit()

    result = expire_on_day(catalog, 100)

    assert reasons_of(result) == {tagged: "tag 'audit'", branched: "branch 'fix'", current: "the current snapshot"}
    assert snapshots_of(catalog) == [tagged, branched, current]
    assert set(catalog.load_table("bronze.t").refs()) == {"main", "audit", "fix"}


def test_the_last_snapshots_of_each_branch_stay(catalog: CatalogResource) -> None:
    first, second, third, fourth = write_on_days(catalog, 0, 1, 2, 3)
    catalog.load_table("bronze.t").manage_snapshots().create_branch(second, "fix").commit()

    result = expire_on_day(catalog, 100, retain_last=2)

    assert not result.expired
    assert reasons_of(result) == {
        first: "one of the last 2 of branch 'fix'",
        second: "branch 'fix'",
        third: "one of the last 2 of branch 'main'",
        fourth: "the current snapshot",
    }


def test_a_branch_that_keeps_more_has_its_way(catalog: CatalogResource) -> None:
    first, second, third = write_on_days(catalog, 0, 10, 20)
    table = catalog.load_table("bronze.t")
    table.manage_snapshots().create_branch(third, "long", max_snapshot_age_ms=15 * 86_400_000).commit()
    with catalog.load_table("bronze.t").transaction() as transaction:
        transaction.set_properties({"history.expire.min-snapshots-to-keep": "2"})

    by_property = expire_on_day(catalog, 50, dry_run=True)
    by_age = expire_on_day(catalog, 22)

    assert by_property.expired == (first,)
    assert reasons_of(by_property)[second] == "one of the last 2 of branch 'main'"
    assert not by_age.expired
    assert reasons_of(by_age)[first] == "branch 'long' keeps its last 15d"


def test_a_dry_run_changes_nothing(catalog: CatalogResource) -> None:
    snapshots = write_on_days(catalog, 0, 1, 2)

    result = expire_on_day(catalog, 100, dry_run=True)

    assert result.dry_run
    assert result.expired == tuple(snapshots[:2])
    assert snapshots_of(catalog) == snapshots


def test_a_snapshot_that_is_named_meanwhile_stays(catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch) -> None:
    tagged, *_ = write_on_days(catalog, 0, 1, 2)
    plan, planned = expiry.plan_expiry, list[ExpiryPlan]()

    def plan_and_tag(*args: object, **kwargs: object) -> ExpiryPlan:
        planned.append(plan(*args, **kwargs))  # type: ignore[arg-type]  # what it is called with
        if len(planned) == 1:
            catalog.load_table("bronze.t").manage_snapshots().create_tag(tagged, "audit").commit()
        return planned[-1]

    monkeypatch.setattr(expiry, "plan_expiry", plan_and_tag)
    result = expire_on_day(catalog, 100)

    assert tagged in planned[0].expired
    assert tagged not in result.expired
    assert catalog.load_table("bronze.t").refs()["audit"].snapshot_id == tagged
    assert catalog.read_table("bronze.t", snapshot_id=tagged).to_pydict() == {"id": [0]}


@pytest.mark.parametrize("checked_here", [True, False], ids=["by the client", "by a server"])
def test_a_table_set_back_meanwhile_keeps_its_rows(
    catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch, *, checked_here: bool
) -> None:
    monkeypatch.setattr(IcebergTables, "checks_commits_here", checked_here)
    first, *_ = write_on_days(catalog, 0, 1, 2)
    plan, planned = expiry.plan_expiry, list[ExpiryPlan]()

    def plan_and_set_back(*args: object, **kwargs: object) -> ExpiryPlan:
        planned.append(plan(*args, **kwargs))  # type: ignore[arg-type]  # what it is called with
        if len(planned) == 1:
            catalog.load_table("bronze.t").manage_snapshots().rollback_to_snapshot(first).commit()
        return planned[-1]

    monkeypatch.setattr(expiry, "plan_expiry", plan_and_set_back)
    expire_on_day(catalog, 100)

    assert catalog.read_table("bronze.t").to_pydict() == {"id": [0]}


def test_a_table_that_keeps_its_files_for_others_is_skipped(catalog: CatalogResource) -> None:
    snapshots = write_on_days(catalog, 0, 1)
    with catalog.load_table("bronze.t").transaction() as transaction:
        transaction.set_properties({"gc.enabled": "false"})

    report = catalog.expire_snapshots("bronze.t", older_than=AT_ONCE)

    assert [skipped.reason for skipped in report.skipped] == [
        "its property gc.enabled is false, which keeps its snapshots and files for others"
    ]
    assert snapshots_of(catalog) == snapshots


def test_a_table_without_snapshots_has_none_to_expire(catalog: CatalogResource) -> None:
    write_on_days(catalog, 0)
    made = catalog.load_table("bronze.t").catalog.create_table("bronze.empty", pa.schema([("id", pa.int64())]))

    assert made.current_snapshot() is None
    assert catalog.expire_snapshots("bronze.empty", older_than=AT_ONCE).of("bronze.empty").expired == ()


@pytest.mark.parametrize("retain_last", [0, -1])
def test_the_last_snapshot_cannot_be_given_up(catalog: CatalogResource, retain_last: int) -> None:
    with pytest.raises(CatalogError, match=f"retain_last is {retain_last}, and 1 is the least"):
        catalog.expire_snapshots(retain_last=retain_last)
