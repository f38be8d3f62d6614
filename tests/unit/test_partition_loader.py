"""Partitions definitions of floe.yaml as Dagster's own."""

import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg
import pytest
from inline_snapshot import snapshot

from builders import floe_yaml, parse_document
from floe_core.errors import PartitionsError
from floe_dagster.loaders.partition_loader import BuiltPartitions, build_partitions


def built(partitions: str) -> BuiltPartitions:
    document = parse_document(floe_yaml(f"partitions:\n{textwrap.indent(partitions, '  ')}"))
    return build_partitions(document.spec.orchestration.partitions, source=document.source)


def definitions(partitions: str) -> Mapping[str, dg.PartitionsDefinition]:
    return built(partitions).definitions


def keys(partitions_def: dg.PartitionsDefinition, *, at: str) -> list[str]:
    return list(partitions_def.get_partition_keys(current_time=datetime.fromisoformat(at).replace(tzinfo=UTC)))


@pytest.mark.requirement("010-FR-011")
def test_a_time_window_has_a_key_for_every_window_that_is_over() -> None:
    daily = definitions("daily: {type: time_window, start: '2024-01-01'}")["daily"]

    assert keys(daily, at="2024-01-03T23:59") == ["2024-01-01", "2024-01-02"]
    assert keys(daily, at="2024-01-04") == ["2024-01-01", "2024-01-02", "2024-01-03"]


@pytest.mark.requirement("010-FR-011")
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("start: 2024-03-30, timezone: Europe/Berlin", ["2024-03-30", "2024-03-31", "2024-04-01"]),
        ("start: 2024-03-31, end: 2024-04-01", ["2024-03-31"]),
        ("start: 2024-03-31, end_offset: 1", ["2024-03-31", "2024-04-01", "2024-04-02"]),
        ("start: 2024-03-29, end_offset: -1", ["2024-03-29", "2024-03-30", "2024-03-31"]),
        ("start: 2024-03-31, fmt: '%d.%m.%Y'", ["31.03.2024", "01.04.2024"]),
        ("start: 31.03.2024, fmt: '%d.%m.%Y'", ["31.03.2024", "01.04.2024"]),
        ("start: 2024, cron_schedule: '@monthly'", ["2024-01-01", "2024-02-01", "2024-03-01"]),
        ("start: 2024, cron_schedule: '@monthly', fmt: '%Y-%m'", ["2024-01", "2024-02", "2024-03"]),
        ("start: '2024-04-01T22:00', cron_schedule: '@hourly'", ["2024-04-01-22:00", "2024-04-01-23:00"]),
        ("start: '2024-04-01T23:00:00+01:00', cron_schedule: '@hourly'", ["2024-04-01-22:00", "2024-04-01-23:00"]),
        ("start: '2024-04-01T12:00', cron_schedule: '0 6,18 * * *'", ["2024-04-01-18:00"]),
    ],
    ids=[
        "a zone", "an end", "one more", "one less", "a format", "start in the format", "a year", "months", "hours",
        "start with an offset", "twice a day",
    ],
)  # fmt: skip
def test_every_field_of_a_time_window_counts(fields: str, expected: list[str]) -> None:
    partitions_def = definitions(f"windows: {{type: time_window, {fields}}}")["windows"]

    assert keys(partitions_def, at="2024-04-02T06:00" if "6,18" in fields else "2024-04-02T00:00") == expected


@pytest.mark.requirement("010-FR-012")
def test_static_keys_keep_their_order() -> None:
    regions = definitions("regions: {type: static, partition_keys: [us, eu, 2024]}")["regions"]

    assert keys(regions, at="2024-01-01") == ["us", "eu", "2024"]


@pytest.mark.requirement("010-FR-013")
def test_two_dimensions_have_a_key_for_each_pair() -> None:
    sales = definitions(
        "sales: {type: multi, partitions: {region: {type: static, partition_keys: [us, eu]},"
        " date: {type: time_window, start: 2024-01-01}}}"
    )["sales"]

    assert keys(sales, at="2024-01-03") == ["2024-01-01|us", "2024-01-01|eu", "2024-01-02|us", "2024-01-02|eu"]


@pytest.mark.requirement("010-FR-014")
def test_dynamic_keys_are_those_of_the_instance_under_the_name_of_the_definition() -> None:
    found = definitions(
        "files: {type: dynamic}\n"
        "sales: {type: multi, partitions: {file: {type: dynamic}, region: {type: static, partition_keys: [eu]}}}"
    )

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("files", ["a.csv", "b.csv"])
        instance.add_dynamic_partitions("sales_file", ["c.csv"])

        assert found["files"].get_partition_keys(dynamic_partitions_store=instance) == ["a.csv", "b.csv"]
        assert found["sales"].get_partition_keys(dynamic_partitions_store=instance) == ["c.csv|eu"]


@pytest.mark.parametrize(
    ("text", "by_hand"),
    [
        ("{type: time_window, start: 2024-01-01}", dg.DailyPartitionsDefinition("2024-01-01")),
        (
            "{type: time_window, start: 2024, cron_schedule: '@hourly', timezone: Europe/Berlin}",
            dg.HourlyPartitionsDefinition("2024-01-01-00:00", timezone="Europe/Berlin"),
        ),
        (
            "{type: time_window, start: 2024, end: 2025, cron_schedule: '0  0 1 * *', end_offset: 1}",
            dg.MonthlyPartitionsDefinition("2024-01-01", end_date="2025-01-01", end_offset=1),
        ),
        ("{type: static, partition_keys: [eu, us]}", dg.StaticPartitionsDefinition(["eu", "us"])),
        ("{type: dynamic}", dg.DynamicPartitionsDefinition(name="it")),
        (
            "{type: multi, partitions: {d: {type: time_window, start: 2024}, r: {type: static, partition_keys: eu}}}",
            dg.MultiPartitionsDefinition(
                {"r": dg.StaticPartitionsDefinition(["eu"]), "d": dg.DailyPartitionsDefinition("2024-01-01")}
            ),
        ),
    ],
    ids=["days", "hours", "months", "static", "dynamic", "multi"],
)
def test_a_definition_equals_the_same_one_in_python(text: str, by_hand: dg.PartitionsDefinition) -> None:
    found = definitions(f"it: {text}")["it"]

    assert found == by_hand
    assert by_hand == found


@pytest.mark.requirement("010-FR-017")
def test_what_dagster_cannot_compute_is_refused_where_it_stands() -> None:
    with pytest.raises(PartitionsError) as caught:
        definitions("late: {type: time_window, start: 9999-12-31}\nearly: {type: time_window, start: 2024-01-01}")

    assert str(caught.value) == snapshot("""\
error[FLOE-350]: Dagster refuses partitions definition 'late': date value out of range
  --> floe.yaml:3:38  orchestration.partitions.late.start
   |  late: {type: time_window, start: 9999-12-31}
  why: Dagster computes the first window from 'start', 'cron_schedule' and 'timezone'
  fix: write another start or end\
""")
