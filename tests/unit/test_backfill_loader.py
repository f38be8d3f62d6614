"""What is wrong with a backfill is found when the definitions are loaded."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from inline_snapshot import snapshot

from builders import floe_yaml, parse_document
from floe_core.errors import LoadError
from floe_dagster.launching.launchable import Launchable
from floe_dagster.loaders.backfill_loader import build_backfills

DAYS = dg.DailyPartitionsDefinition("2024-01-01")
AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
HOURS = dg.HourlyPartitionsDefinition("2024-01-01-00:00", timezone="Europe/Rome")
COUNTRIES = dg.StaticPartitionsDefinition(["de", "fr", "it"])
BOTH = dg.MultiPartitionsDefinition({"zday": DAYS, "country": COUNTRIES})


def refusals(backfills: str) -> str:
    """What is wrong with *backfills*, over jobs of every kind of partitions."""
    document = parse_document(floe_yaml(backfills))
    kinds = {"daily": DAYS, "hourly": HOURS, "static": COUNTRIES, "both": BOTH, "plain": None}
    jobs = {name: Launchable(dg.define_asset_job(name), partitions_def) for name, partitions_def in kinds.items()}
    with pytest.raises(LoadError) as caught:
        build_backfills(
            document.spec.orchestration.backfills,
            jobs=jobs,
            source=document.source,
            project="shop",
            folder=Path(".floe"),
            now=AT,
        )
    return str(caught.value)


@pytest.mark.requirement("010-FR-043", "010-FR-046", "010-FR-047")
def test_the_range_is_held_against_the_partitions_of_the_job() -> None:
    assert refusals("""
        backfills:
          too_early: {job: daily, partition_range: {start: 2023-12-31, end: 2024-01-05}}
          too_late: {job: daily, partition_range: {start: 2024-01-01, end: 2024-12-31}}
          other_form: {job: hourly, partition_range: {start: 2024-01-01, end: 2024-01-02-00:00}}
          unknown: {job: static, partition_keys: [de, fra]}
          one_of_two: {job: both, partition_range: {start: 2024-01-01, end: fr|2024-01-03}}
    """) == snapshot("""\
error[FLOE-358]: backfill 'too_early' names partition '2023-12-31', which does not exist
  --> floe.yaml:3:54  orchestration.backfills.too_early.partition_range.start
   |  too_early: {job: daily, partition_range: {start: 2023-12-31, end: 2024-01-05}}
  why: the first one is '2024-01-01'
  fix: name one from '2024-01-01' to '2024-02-29'

error[FLOE-358]: backfill 'too_late' names partition '2024-12-31', which does not exist
  --> floe.yaml:4:70  orchestration.backfills.too_late.partition_range.end
   |  too_late: {job: daily, partition_range: {start: 2024-01-01, end: 2024-12-31}}
  why: the last one at the moment is '2024-02-29'
  fix: name one from '2024-01-01' to '2024-02-29'

error[FLOE-358]: backfill 'other_form' names partition '2024-01-01', which does not exist
  --> floe.yaml:5:56  orchestration.backfills.other_form.partition_range.start
   |  other_form: {job: hourly, partition_range: {start: 2024-01-01, end: 2024-01-02-00:00}}
  why: the keys of a time window of '0 * * * *' from 2024-01-01 in Europe/Rome are written like '2024-01-01-00:00'
  fix: did you mean '2024-01-01-00:00'?

error[FLOE-358]: backfill 'unknown' names partition 'fra', which does not exist
  --> floe.yaml:6:49  orchestration.backfills.unknown.partition_keys[1]
   |  unknown: {job: static, partition_keys: [de, fra]}
  why: the keys are de, fr, it
  fix: did you mean 'fr'?

error[FLOE-358]: backfill 'one_of_two' names partition '2024-01-01', which does not exist
  --> floe.yaml:7:54  orchestration.backfills.one_of_two.partition_range.start
   |  one_of_two: {job: both, partition_range: {start: 2024-01-01, end: fr|2024-01-03}}
  why: a key names both dimensions, country|zday
  fix: write it like 'de|2024-01-01'

5 errors\
""")


@pytest.mark.requirement("010-FR-043", "010-FR-047")
def test_a_range_that_is_backwards_is_refused() -> None:
    assert refusals("""
        backfills:
          days: {job: daily, partition_range: {start: 2024-02-01, end: 2024-01-01}}
          countries: {job: static, partition_range: {start: it, end: de}}
          both: {job: both, partition_range: {start: it|2024-01-01, end: de|2024-01-31}}
    """) == snapshot("""\
error[FLOE-358]: backfill 'days' has a range from '2024-02-01' to '2024-01-01', which is backwards
  --> floe.yaml:3:41  orchestration.backfills.days.partition_range
   |  days: {job: daily, partition_range: {start: 2024-02-01, end: 2024-01-01}}
  why: a range goes along the order of the partitions definition
  fix: swap start and end, or list the keys under partition_keys in the order you want

error[FLOE-358]: backfill 'countries' has a range from 'it' to 'de', which is backwards
  --> floe.yaml:4:47  orchestration.backfills.countries.partition_range
   |  countries: {job: static, partition_range: {start: it, end: de}}
  why: a range goes along the order of the partitions definition
  fix: swap start and end, or list the keys under partition_keys in the order you want

error[FLOE-358]: backfill 'both' has a range from 'it' to 'de', which is backwards in dimension 'country'
  --> floe.yaml:5:40  orchestration.backfills.both.partition_range
   |  both: {job: both, partition_range: {start: it|2024-01-01, end: de|2024-01-31}}
  why: a range goes along the order of the partitions definition
  fix: swap start and end, or list the keys under partition_keys in the order you want

3 errors\
""")


@pytest.mark.requirement("010-FR-043", "010-FR-047")
def test_a_job_without_partitions_cannot_be_backfilled() -> None:
    assert refusals("""
        backfills:
          assets: {job: plain, partition_keys: [2024-01-01]}
    """) == snapshot("""\
error[FLOE-359]: backfill 'assets' launches job 'plain', which has no partitions
  --> floe.yaml:3:19  orchestration.backfills.assets.job
   |  assets: {job: plain, partition_keys: [2024-01-01]}
  why: none of the assets that the job materialises is partitioned
  fix: name a job over partitioned assets, or give the assets partitions under orchestration.assets\
""")
