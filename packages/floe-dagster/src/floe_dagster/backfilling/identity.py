"""By what a backfill's runs are known, and what the instance remembers of it beside them."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from floe_dagster.running.launches import PROJECT_TAG

BACKFILL_TAG = "floe/backfill"
ROUND_TAG = "floe/backfill_round"

FIRST_ROUND = 1


@dataclass(frozen=True, slots=True)
class BackfillIdentity:
    """A backfill of a project: several projects may share a Dagster instance."""

    project: str
    name: str

    @property
    def sensor_name(self) -> str:
        """The name of the sensor that it becomes."""
        return f"{self.name}_backfill"

    @property
    def tags(self) -> dict[str, str]:
        """The tags of all its runs."""
        return {BACKFILL_TAG: self.name, PROJECT_TAG: self.project}

    def tags_of_round(self, number: int) -> dict[str, str]:
        """The tags of the runs of one round."""
        return {**self.tags, ROUND_TAG: str(number)}

    def record_of(self, what: str) -> str:
        """The key under which the instance keeps something about it."""
        return f"floe/backfill/{self.project}/{self.name}/{what}"


def read_round(identity: BackfillIdentity, instance: dg.DagsterInstance) -> int:
    """The round that the backfill is in: the first, or one more each time that it was asked for once again."""
    asked = _read(identity, instance, "round")
    runs = instance.get_runs(dg.RunsFilter(tags=identity.tags), limit=1)
    last = runs[0].tags.get(ROUND_TAG, "") if runs else ""
    return max([FIRST_ROUND, *(int(number) for number in (asked, last) if number.isdigit())])


def begin_round(identity: BackfillIdentity, instance: dg.DagsterInstance, number: int) -> None:
    """Note that everything is to be launched once more."""
    _write(identity, instance, {"round": str(number)})


def read_retried_since(identity: BackfillIdentity, instance: dg.DagsterInstance) -> float:
    """When the command line was last asked for the backfill; seconds since the epoch, 0 for never."""
    return float(_read(identity, instance, "retried_since") or 0)


def retry_failed(identity: BackfillIdentity, instance: dg.DagsterInstance, *, at: float) -> None:
    """Note that what failed before *at* (seconds since the epoch) is to be tried again."""
    _write(identity, instance, {"retried_since": repr(at)})


def read_canceled(identity: BackfillIdentity, instance: dg.DagsterInstance) -> float:
    """When the command line last cancelled the backfill; seconds since the epoch, 0 for never."""
    return float(_read(identity, instance, "canceled") or 0)


def note_canceled(identity: BackfillIdentity, instance: dg.DagsterInstance, *, at: float) -> None:
    """Note, for who works on it or watches it, that it was cancelled *at*; seconds since the epoch."""
    _write(identity, instance, {"canceled": repr(at)})


def read_finished(identity: BackfillIdentity, instance: dg.DagsterInstance) -> str:
    """What was finished, as `note_finished` was told; empty for nothing."""
    return _read(identity, instance, "finished")


def note_finished(identity: BackfillIdentity, instance: dg.DagsterInstance, what: str) -> None:
    """Note what is finished, so that it stays so when its runs are deleted."""
    if read_finished(identity, instance) != what:
        _write(identity, instance, {"finished": what})


def _read(identity: BackfillIdentity, instance: dg.DagsterInstance, what: str) -> str:
    key = identity.record_of(what)
    return instance.daemon_cursor_storage.get_cursor_values({key}).get(key, "")


def _write(identity: BackfillIdentity, instance: dg.DagsterInstance, values: Mapping[str, str]) -> None:
    instance.daemon_cursor_storage.set_cursor_values(
        {identity.record_of(what): value for what, value in values.items()}
    )
