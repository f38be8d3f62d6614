"""Keys that were materialised under another partitions definition."""

import dagster as dg
import pytest

from floe_dagster.partitioning.orphans import find_orphans

DAILY = dg.TimeWindowPartitionsDefinition(start="2024-03-01", cron_schedule="0 0 * * *", fmt="%Y-%m-%d")
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])
FILES = dg.DynamicPartitionsDefinition(name="files")


def windows(
    start: str = "2024-03-01", *, end: str | None = None, cron: str = "0 0 * * *", end_offset: int = 0
) -> dg.TimeWindowPartitionsDefinition:
    return dg.TimeWindowPartitionsDefinition(
        start=start, end=end, cron_schedule=cron, fmt="%Y-%m-%d", end_offset=end_offset
    )


def pairs(**dimensions: dg.PartitionsDefinition) -> dg.MultiPartitionsDefinition:
    return dg.MultiPartitionsDefinition(dimensions)


@pytest.mark.parametrize(
    ("partitions_def", "keys", "orphans"),
    [
        (DAILY, [], []),
        (DAILY, ["2024-03-01", "2024-03-02"], []),
        (windows("2024-03-02"), ["2024-03-01", "2024-03-02"], ["2024-03-01"]),
        (windows(end="2024-03-03"), ["2024-03-02", "2024-03-03"], ["2024-03-03"]),
        (windows(cron="0 0 * * 1"), ["2024-03-01", "2024-03-04"], ["2024-03-01"]),
        (windows(end_offset=-100_000), ["2024-03-02"], []),
        (DAILY, ["20240301", "2024-03-01|eu"], ["20240301", "2024-03-01|eu"]),
        (REGIONS, ["eu", "EU", "asia", "2024-03-01"], ["EU", "asia", "2024-03-01"]),
        (FILES, ["a", "b"], []),
        (FILES, ["c", "d"], ["c", "d"]),
        (dg.DynamicPartitionsDefinition(name="uploads"), ["a", "b"], ["a", "b"]),
        (dg.DynamicPartitionsDefinition(name="inbox"), ["a", "b"], []),
        (pairs(day=DAILY, region=REGIONS), ["2024-03-01|eu", "2024-03-01|asia"], ["2024-03-01|asia"]),
        (pairs(day=DAILY, zone=REGIONS), ["2024-03-01|eu"], []),
        (pairs(date=DAILY, area=REGIONS), ["2024-03-01|eu"], ["2024-03-01|eu"]),
        (pairs(day=DAILY, file=FILES), ["2024-03-01|a", "2024-03-01|gone", "2024-02-01|a"], ["2024-02-01|a"]),
        (pairs(day=DAILY, region=REGIONS), ["2024-03-01", "eu|us|x"], ["2024-03-01", "eu|us|x"]),
    ],
    ids=[
        "nothing",
        "the same windows",
        "a later start",
        "an earlier end",
        "another cron",
        "windows that come again",
        "other formats",
        "other keys",
        "a dynamic key that was removed",
        "dynamic keys of which none is there",
        "another name of dynamic keys",
        "dynamic keys that a function took away",
        "a key that a dimension lost",
        "a dimension of another name in the same place",
        "dimensions that changed places",
        "a dynamic dimension",
        "keys that are no pairs",
    ],
)
def test_keys_that_the_definition_does_not_have_are_orphans(
    partitions_def: dg.PartitionsDefinition, keys: list[str], orphans: list[str]
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("files", ["a", "x"])

        found = find_orphans(keys, partitions_def, dynamic_partitions_store=instance, emptied=["inbox"])

    assert sorted(found) == sorted(orphans)


def test_the_reason_says_what_the_keys_are_now() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        reasons = [
            find_orphans([key], partitions_def, dynamic_partitions_store=instance)[key]
            for key, partitions_def in [
                ("asia", REGIONS),
                ("2024-02-01", DAILY),
                ("eu|2024-03-01", pairs(day=DAILY, region=REGIONS)),
                ("2024-03-01|asia", pairs(day=DAILY, region=REGIONS)),
                ("a", FILES),
            ]
        ]

    assert reasons == [
        "the keys are eu, us",
        "the first one is '2024-03-01'",
        "a key names the dimensions in the order of their names, day|region",
        "in dimension 'region' the keys are eu, us",
        "dynamic keys are kept under the name of their definition, and those of 'files' are none",
    ]
