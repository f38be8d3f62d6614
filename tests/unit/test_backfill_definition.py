"""Backfills: what they say, and which contradict themselves."""

from inline_snapshot import snapshot

from builders import BACKFILL, backfill, refusal_report
from floe_core.interpolation import Unset
from floe_core.schemas.backfill_definition import BackfillDefinition


def test_defaults_of_a_backfill() -> None:
    year = backfill(partition_range={"start": 2020, "end": 2024})

    assert (year.batch_size, year.on_failure) == (10, "stop")
    assert year.partition_range is not None
    assert (year.partition_range.start, year.partition_range.end) == ("2020", "2024")


def test_partitions_may_be_named_one_by_one() -> None:
    assert backfill(partition_range=None, partition_keys=["eu", "us"]).partition_keys == ("eu", "us")


def test_partitions_that_wait_for_a_variable_are_there() -> None:
    assert backfill(partition_range=Unset("${RANGE}")).partition_keys == ()


def test_backfills_that_are_refused() -> None:
    cases: dict[str, object] = {
        "no partitions": {"job": "load"},
        "range and keys": {**BACKFILL, "partition_keys": ["a"]},
        "key twice": {"job": "load", "partition_keys": ["a", "b", "a"]},
        "no keys": {"job": "load", "partition_keys": []},
        "range without an end": {"job": "load", "partition_range": {"start": "2024-01-01"}},
        "range as text": {"job": "load", "partition_range": "2024-01-01..2024-01-31"},
        "no job": {"partition_keys": ["a"]},
        "empty batches": {**BACKFILL, "batch_size": 0},
        "failure": {**BACKFILL, "on_failure": "ignore"},
    }

    assert refusal_report(BackfillDefinition, cases) == snapshot("""\
# no partitions
a backfill says which partitions it launches
  fix: add partition_range: {start: …, end: …} or partition_keys: […]
# range and keys
partition_keys: a backfill has either a range or keys
  fix: delete 'partition_range' or 'partition_keys'
# key twice
partition_keys[2]: every partition key stands once, and 'a' stands 2 times
  fix: delete the others
# no keys
partition_keys: the list is empty
  fix: name at least one, or leave the key out
# range without an end
partition_range.end: Field required
# range as text
partition_range: Input should be a valid dictionary or instance of PartitionRange
# no job
job: Field required
# empty batches
batch_size: Input should be greater than or equal to 1
# failure
on_failure: Input should be 'stop' or 'continue'\
""")
