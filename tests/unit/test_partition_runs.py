"""How partitions are spread over runs."""

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floe_dagster.partitioning.runs import spread_over_runs

LETTERS = dg.StaticPartitionsDefinition(list("abcdefgh"))
DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-07")
PAIRS = dg.MultiPartitionsDefinition({"day": DAYS, "letter": dg.StaticPartitionsDefinition(list("abc"))})
LETTER_FIRST = dg.MultiPartitionsDefinition({"a_letter": dg.StaticPartitionsDefinition(list("abc")), "day": DAYS})


def spread(keys: str, *, most: int | None) -> list[str]:
    return [run.label for run in spread_over_runs(keys.split(), LETTERS, most=most)]


@pytest.mark.parametrize(
    ("keys", "most", "runs"),
    [
        ("", None, []),
        ("a", None, ["a"]),
        ("a b c", 1, ["a", "b", "c"]),
        ("a b c", None, ["a..c"]),
        ("a b c d e", 2, ["a..b", "c..d", "e"]),
        ("a b c", 7, ["a..c"]),
    ],
)
def test_runs_have_as_many_partitions_as_allowed(keys: str, most: int | None, runs: list[str]) -> None:
    assert spread(keys, most=most) == runs


def test_one_partition_is_named_by_its_key_and_several_by_the_tags_of_their_range() -> None:
    one, several = spread_over_runs(list("abcd"), LETTERS, most=3)[::-1]

    assert (one.key, dict(one.range_tags)) == ("d", {})
    assert several.key is None
    assert dict(several.range_tags) == {
        "dagster/asset_partition_range_start": "a",
        "dagster/asset_partition_range_end": "c",
    }


def test_no_keys_need_no_run() -> None:
    assert spread_over_runs([], PAIRS, most=None) == ()


@given(st.sampled_from([PAIRS, LETTER_FIRST]), st.none() | st.integers(1, 30))
def test_dagster_reads_from_every_range_of_pairs_exactly_its_pairs(
    partitions_def: dg.MultiPartitionsDefinition, most: int | None
) -> None:
    keys = list(map(str, partitions_def.get_partition_keys()))

    runs = spread_over_runs(keys, partitions_def, most=most)

    assert sorted(key for run in runs for key in run.keys) == sorted(keys)
    for run in runs:
        found = partitions_def.get_partition_keys_in_range(dg.PartitionKeyRange(run.keys[0], run.keys[-1]))
        assert sorted(map(str, found)) == sorted(run.keys)
        assert most is None or len(run.keys) <= most
