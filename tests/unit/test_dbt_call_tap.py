"""What observers are told while dbt writes its log and prints."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dbt_logs import call_of, ends_by_name, events_in, golden_log
from floe_dagster.observability.dbt_log.call_tap import CallTap
from floe_dagster.observability.dbt_log.log_tail import LogTail
from floe_dagster.observability.observers import Observers
from floe_dagster.observability.records import (
    CallEnded,
    CallStarted,
    DbtCall,
    NodeEnded,
    NodeStarted,
    Outcome,
    Record,
)
from recording_observer import RecordingObserver


@dataclass
class Replay:
    """A call of dbt as its log has it, line by line."""

    log: Path
    name: str = "a_model"
    has_nodes: bool = True
    per_node: bool = True
    makes_plain: bool = False
    observer: RecordingObserver = field(default_factory=RecordingObserver)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tap = CallTap(
            Observers([self.observer], warn=self.warnings.append),
            tail=LogTail(self.log),
            describe=self.describe,
            has_nodes=self.has_nodes,
            makes_plain=self.makes_plain,
            warn=self.warnings.append,
        )

    def describe(self, invocation_id: str) -> DbtCall:
        call = call_of(golden_log(self.name))
        assert call.invocation_id == invocation_id
        return replace(call, per_node=self.per_node)

    @property
    def records(self) -> list[Record]:
        return self.observer.records

    def play(self, events: Iterable[dict[str, Any]] | None = None, *, log: bool = True) -> None:
        """dbt writes each event to its log, and prints those that are not for debugging."""
        for event in events_in(golden_log(self.name)) if events is None else events:
            if log:
                with self.log.open("a") as file:
                    file.write(json.dumps(event) + "\n")
            if event["info"]["level"] != "debug":
                self.tap.take(event)

    def end(self, *, is_success: bool = False, is_interrupted: bool = False) -> CallEnded:
        self.tap.end(is_success=is_success, is_interrupted=is_interrupted, errors=["\x1b[31mone\x1b[0m", "two"])
        (end,) = (record for record in self.records if isinstance(record, CallEnded))
        return end


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "dbt.log"


@pytest.mark.requirement("010-FR-007")
def test_a_call_begins_before_its_nodes_and_ends_after_them(log: Path) -> None:
    replay = Replay(log)
    replay.play()
    end = replay.end()

    ended = [record.unique_id for record in replay.records if isinstance(record, NodeEnded)]
    assert isinstance(replay.records[0], CallStarted)
    assert replay.records[-1] is end
    assert (end.outcome, end.error and end.error.message) == (Outcome.FAILED, "one\ntwo")
    assert list(end.built) == ended
    assert len(ended) == 18
    assert (replay.observer.flushes, replay.warnings) == (1, [])


@pytest.mark.requirement("010-FR-007")
def test_a_failed_model_is_told_while_dbt_goes_on(log: Path) -> None:
    replay = Replay(log)
    events = events_in(golden_log("a_model"))
    finished = next(
        number
        for number, event in enumerate(events)
        if event["info"]["name"] == "NodeFinished" and event["data"]["node_info"]["node_name"] == "refunds"
    )
    replay.play(events[: finished + 1])
    replay.tap.look()  # as is done when dbt has been silent for a while

    refunds = ends_by_name(replay.records)["refunds"]
    assert refunds.error is not None
    assert refunds.error.message.endswith("the till is broken")


@pytest.mark.requirement("010-FR-009")
def test_a_call_that_is_observed_as_a_whole_tells_what_it_built(log: Path) -> None:
    replay = Replay(log, per_node=False)
    replay.play()
    end = replay.end()

    assert [type(record) for record in replay.records] == [CallStarted, CallEnded]
    assert len(end.built) == 18


def test_commands_that_build_nothing_have_no_nodes(log: Path) -> None:
    replay = Replay(log, has_nodes=False)
    replay.play()
    end = replay.end(is_success=True)

    assert [type(record) for record in replay.records] == [CallStarted, CallEnded]
    assert (end.outcome, end.error, end.built) == (Outcome.SUCCEEDED, None, ())


@pytest.mark.parametrize(("is_interrupted", "outcome"), [(False, "failed"), (True, "cancelled")])
def test_what_is_open_when_dbt_ends_ends_with_it_once(log: Path, is_interrupted: bool, outcome: str) -> None:
    replay = Replay(log, "killed")
    replay.play()
    end = replay.end(is_interrupted=is_interrupted)
    again = replay.end()

    slow = ends_by_name(replay.records)["slow_report"]
    assert (slow.outcome, slow.at, end.outcome) == (outcome, end.at, outcome)
    assert again is end


def test_what_dbt_wrote_last_is_told_when_it_has_ended(log: Path) -> None:
    """An interrupt ends the reading; what dbt says afterwards is in its log only."""
    replay = Replay(log, "interrupted")
    events = events_in(golden_log("interrupted"))
    last = next(number for number, event in enumerate(events) if "INTERRUPT" in json.dumps(event))
    replay.play(events[:last])
    with log.open("a") as file:
        file.writelines(json.dumps(event) + "\n" for event in events[last:])
    replay.end(is_interrupted=True)

    slow = ends_by_name(replay.records)["slow_report"]
    assert slow.error is not None
    assert "INTERRUPT Error: Interrupted!" in slow.error.message


def test_without_a_log_what_dbt_prints_is_told_and_said_so_once(log: Path) -> None:
    replay = Replay(log)
    replay.play(log=False)
    replay.end()

    ends = ends_by_name(replay.records)
    assert len(ends) == 17  # all but the one that was skipped below an ephemeral model
    assert ends["refunds"].error is not None
    assert replay.warnings == ["dbt's log cannot be read: less is observed of its nodes than there is"]


def test_a_log_that_is_no_json_is_no_log(log: Path) -> None:
    replay = Replay(log)
    log.write_text("13:00:00  Running with dbt\n13:00:01  NodeStart\n")
    replay.play(log=False)
    replay.end()

    assert len(ends_by_name(replay.records)) == 17
    assert replay.warnings == ["dbt's log cannot be read: less is observed of its nodes than there is"]


@pytest.mark.requirement("010-FR-007")
def test_corrupt_lines_lose_no_node_and_are_said_once(log: Path) -> None:
    replay = Replay(log)
    events = events_in(golden_log("a_model"))
    with log.open("a") as file:
        file.write('{"data": {"node_info": 5}, "info": {"name": "NodeStart"\n')
    replay.play(events[:50])
    with log.open("a") as file:
        file.write('"NodeFinished" \x00\n')
    replay.play(events[50:])
    replay.end()

    assert len(ends_by_name(replay.records)) == 18
    assert replay.warnings == ["2 lines of dbt's log are no events, and were left out"]


def test_events_of_another_shape_are_told_of_once_and_harm_nothing(log: Path) -> None:
    replay = Replay(log)
    events = events_in(golden_log("a_model"))
    finished = next(event for event in events if event["info"]["name"] == "NodeFinished")
    broken = {"info": finished["info"], "data": {**finished["data"], "run_result": 7}}
    at = events.index(finished)
    replay.play([*events[:at], broken, broken, *events[at:]])
    replay.end()

    ends = ends_by_name(replay.records)
    assert len(ends) == 18
    assert ends["countries"].rows == 2  # which only the log tells, after those
    assert len(replay.warnings) == 1
    assert replay.warnings[0].startswith("a dbt call could not be observed: AttributeError: ")


def test_an_observer_that_fails_does_not_reach_the_reader(log: Path) -> None:
    class Failing(RecordingObserver):
        def observe(self, record: Record) -> None:
            super().observe(record)
            raise ValueError("nobody listens")

        def flush(self, seconds: float) -> None:
            raise OSError("no network")

    replay = Replay(log, observer=Failing())
    replay.play()
    replay.end()

    assert len(replay.warnings) == 2


def test_a_dbt_that_never_said_anything_is_a_call_too(log: Path) -> None:
    replay = Replay(log)
    replay.describe = lambda invocation_id: call_of(golden_log("a_model"))  # type: ignore[method-assign]
    tap = CallTap(
        Observers([replay.observer], warn=replay.warnings.append),
        tail=LogTail(log),
        describe=replay.describe,
        has_nodes=True,
        warn=replay.warnings.append,
    )

    tap.end(is_success=False, is_interrupted=False)

    (start, end) = replay.records
    assert isinstance(start, CallStarted)
    assert isinstance(end, CallEnded)
    assert end.error is not None
    assert end.error.message == "dbt ended with an error"


def test_the_log_becomes_text_when_dbt_has_ended(log: Path) -> None:
    replay = Replay(log, makes_plain=True)
    replay.play()
    with log.open("a") as file:
        file.write("no event\n")
    size = log.stat().st_size
    replay.end()

    lines = log.read_text().splitlines()
    told = next(event for event in events_in(golden_log("a_model")) if event["info"]["name"] == "NodeFinished")
    assert len(ends_by_name(replay.records)) == 18
    assert lines[0].startswith("=" * 30 + " 2026-11-22T")
    assert lines[1].endswith("[info ] [MainThread]: Running with dbt=1.11.16")
    assert any(line.endswith(f"]: {told['info']['msg']}") for line in lines)
    assert lines[-1] == "no event"
    assert log.stat().st_size < size / 4
    assert [file.name for file in log.parent.iterdir()] == ["dbt.log"]


def test_the_reader_is_kept_for_less_than_three_milliseconds_by_each_node(log: Path) -> None:
    """CPU, of reading, parsing and telling; the replay itself counts too."""
    spent = []
    for _ in range(3):
        log.unlink(missing_ok=True)
        replay = Replay(log, makes_plain=True)
        before = time.process_time()
        replay.play()
        replay.end()
        spent.append(time.process_time() - before)
        assert sum(isinstance(record, NodeStarted) for record in replay.records) == 18

    assert min(spent) / 18 < 0.003
