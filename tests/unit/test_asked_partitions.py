"""What `floe run --partition` asks for."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_dagster.launching.asked_partitions import AskedPartitionsError, config_of, find_asked_partitions, tags_of

AT = datetime(2024, 1, 11, 12, tzinfo=UTC)
DAYS = dg.DailyPartitionsDefinition("2024-01-01")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])


@dg.asset
def plain() -> None: ...


@dg.asset(partitions_def=DAYS)
def daily() -> None: ...


@dg.asset(partitions_def=REGIONS)
def regional() -> None: ...


@dg.asset(partitions_def=dg.MultiPartitionsDefinition({"day": DAYS, "region": REGIONS}))
def sales() -> None: ...


@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="files"))
def by_file() -> None: ...


with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):

    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def whole() -> None: ...

    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.multi_run(4))
    def by_fours() -> None: ...


@dg.op(config_schema={"day": str})
def sweep() -> None: ...


@dg.daily_partitioned_config(start_date="2024-01-01")
def for_day(start: datetime, _: datetime) -> dict[str, object]:
    return {"ops": {"sweep": {"config": {"day": f"{start:%d.%m.}"}}}}


@dg.job(config=for_day)
def sweeping() -> None:
    sweep()


ASSETS = [plain, daily, regional, sales, by_file, whole, by_fours]
REPOSITORY = dg.Definitions(
    assets=ASSETS,
    jobs=[
        *(dg.define_asset_job(f"{asset.key.to_user_string()}_job", selection=[asset]) for asset in ASSETS),
        dg.define_asset_job("mixed_job", selection=[plain, whole]),
        sweeping,
    ],
).get_repository_def()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def found(instance: dg.DagsterInstance, job: str, asked: str | None) -> list[str]:
    runs = find_asked_partitions(asked, REPOSITORY.get_job(job), at=AT, instance=instance)
    return [run.label for run in runs]


@pytest.mark.parametrize(
    ("job", "asked", "labels"),
    [
        ("plain_job", None, []),
        ("daily_job", "none", []),
        ("daily_job", "2024-01-03", ["2024-01-03"]),
        ("daily_job", "latest", ["2024-01-10"]),
        ("daily_job", "last:2", ["2024-01-09", "2024-01-10"]),
        ("daily_job", "2024-01-02..2024-01-04", ["2024-01-02", "2024-01-03", "2024-01-04"]),
        ("daily_job", "2024-01-02..2024-01-02", ["2024-01-02"]),
        ("whole_job", "2024-01-02..2024-01-09", ["2024-01-02..2024-01-09"]),
        ("whole_job", "all", ["2024-01-01..2024-01-10"]),
        ("by_fours_job", "all", ["2024-01-01..2024-01-04", "2024-01-05..2024-01-08", "2024-01-09..2024-01-10"]),
        ("mixed_job", "last:3", ["2024-01-08..2024-01-10"]),
        ("regional_job", "latest", ["eu", "us"]),
        ("regional_job", "eu..us", ["eu", "us"]),
        ("sales_job", "2024-01-01|us", ["2024-01-01|us"]),
        ("sales_job", "latest", ["2024-01-10|eu", "2024-01-10|us"]),
        ("sweeping", "2024-01-02..2024-01-03", ["2024-01-02", "2024-01-03"]),
    ],
)
def test_what_is_asked_for_becomes_runs(
    instance: dg.DagsterInstance, job: str, asked: str | None, labels: list[str]
) -> None:
    assert found(instance, job, asked) == labels


def test_dynamic_keys_may_hold_two_dots(instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("files", ["a", "a..b", "b"])

    assert found(instance, "by_file_job", "a..b") == ["a..b"]
    assert found(instance, "by_file_job", "a..a..b") == ["a", "a..b"]


def test_a_run_has_the_tags_of_its_partition_and_the_config_that_the_job_has_for_it(
    instance: dg.DagsterInstance,
) -> None:
    sales_job, sweep_job = REPOSITORY.get_job("sales_job"), REPOSITORY.get_job("sweeping")
    [pair] = find_asked_partitions("2024-01-01|us", sales_job, at=AT, instance=instance)
    [days] = find_asked_partitions("all", REPOSITORY.get_job("whole_job"), at=AT, instance=instance)
    [day] = find_asked_partitions("2024-01-02", sweep_job, at=AT, instance=instance)

    assert dict(tags_of(pair, sales_job)) == {
        "dagster/partition": "2024-01-01|us",
        "dagster/partition/day": "2024-01-01",
        "dagster/partition/region": "us",
        "dagster/partition_set": "sales_job_partition_set",
    }
    assert dict(tags_of(days, REPOSITORY.get_job("whole_job"))) == {
        "dagster/asset_partition_range_start": "2024-01-01",
        "dagster/asset_partition_range_end": "2024-01-10",
    }
    assert config_of(day, sweep_job) == {"ops": {"sweep": {"config": {"day": "02.01."}}}}
    assert config_of(pair, sales_job) == {}


def test_what_cannot_be_asked_for(instance: dg.DagsterInstance) -> None:
    cases = [
        ("plain_job", "latest"),
        ("daily_job", None),
        ("regional_job", None),
        ("daily_job", "2024-01-11"),
        ("daily_job", "2024-1-5"),
        ("daily_job", "lastest"),
        ("daily_job", "last:0"),
        ("daily_job", ""),
        ("regional_job", "last:2"),
        ("regional_job", "ue"),
        ("daily_job", "2024-01-05..2024-01-02"),
        ("daily_job", "2023-12-01..2024-01-02"),
        ("daily_job", "2024-01-02.."),
        ("sales_job", "2024-01-02"),
        ("by_file_job", "all"),
        ("by_file_job", "x"),
    ]

    reports = []
    for job, asked in cases:
        with pytest.raises(AskedPartitionsError) as caught:
            found(instance, job, asked)
        reports.append(str(caught.value))

    assert "\n".join(reports) == snapshot("""\
error[FLOE-424]: job 'plain_job' has no partitions, and partition 'latest' is asked for
  why: none of the assets that it materialises is partitioned
  fix: leave --partition out, or give the assets partitions under orchestration.assets
error[FLOE-424]: job 'daily_job' is partitioned, and no partition is named
  why: without one its assets would run for no partition; it has a time window of '0 0 * * *' from 2024-01-01 in UTC
  fix: add --partition with a key, a range A..B, last:7 or latest ('2024-01-10')
error[FLOE-424]: job 'regional_job' is partitioned, and no partition is named
  why: without one its assets would run for no partition; it has the keys eu, us
  fix: add --partition with a key, a range A..B, or all
error[FLOE-340]: job 'daily_job' has no partition '2024-01-11'
  why: the last one at the moment is '2024-01-10'
  fix: name one from '2024-01-01' to '2024-01-10'
error[FLOE-340]: job 'daily_job' has no partition '2024-1-5'
  why: the keys of a time window of '0 0 * * *' from 2024-01-01 in UTC are written like '2024-01-01'
  fix: did you mean '2024-01-05'?
error[FLOE-340]: job 'daily_job' has no partition 'lastest'
  why: the keys of a time window of '0 0 * * *' from 2024-01-01 in UTC are written like '2024-01-01'
  fix: did you mean 'latest'?
error[FLOE-340]: job 'daily_job' has no partition 'last:0'
  why: it is 'latest', 'all', 'last:N' from 1 on, 'none' or a partition key
  fix: write 'latest' for the last one
error[FLOE-340]: job 'daily_job' has no partition ''
  why: a partition key is not empty
  fix: write a key, or delete the entry
error[FLOE-340]: job 'regional_job' has no partition 'last:2'
  why: only time windows have an order in time, and it has the keys eu, us
error[FLOE-340]: job 'regional_job' has no partition 'ue'
  why: the keys are eu, us
  fix: name one of them
error[FLOE-340]: job 'daily_job' has no partitions '2024-01-05..2024-01-02'
  why: a range goes from an earlier to a later partition
  fix: write '2024-01-02..2024-01-05'
error[FLOE-340]: job 'daily_job' has no partitions '2023-12-01..2024-01-02'
  why: of '2023-12-01': the first one is '2024-01-01'
  fix: name one from '2024-01-01' to '2024-01-10'
error[FLOE-340]: job 'daily_job' has no partitions '2024-01-02..'
  why: of '': the keys of a time window of '0 0 * * *' from 2024-01-01 in UTC are written like '2024-01-01'
  fix: name one from '2024-01-01' to '2024-01-10'
error[FLOE-340]: job 'sales_job' has no partition '2024-01-02'
  why: a key names both dimensions, day|region
  fix: write it like '2024-01-01|eu'
error[FLOE-340]: job 'by_file_job' has no partition 'all'
  why: of the dynamic keys of 'files' there is none yet
error[FLOE-340]: job 'by_file_job' has no partition 'x'
  why: of the dynamic keys of 'files' there is none yet
  fix: add the key first, for example in Dagster's UI\
""")
