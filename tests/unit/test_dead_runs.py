"""Runs whose process was killed, as somebody else ends them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from floe_dagster.observability.local.files import RunFile
from floe_dagster.observability.local.traces import LocalSpan, read_trace
from floe_dagster.observability.opening import open_observers
from floe_dagster.observability.runs.dead_runs import tell_end_of_dead_run
from floe_dagster.observability.runs.executor import observed_executor
from floe_dagster.observability.runs.known_assets import known_assets
from floe_dagster.observability.runs.run_records import RunRecords
from floe_dagster.observability.scopes import run_scope
from floe_dagster.observability.settings import ObservabilitySettings
from lineage_events import Event, by_run, check_events, ends, read_events
from lineage_receiver import LineageReceiver
from otlp_receiver import http_receiver

LAST_WORD = "the first of the two is there"


@dg.asset
def done() -> None:
    """Nothing."""


@dg.multi_asset(specs=[dg.AssetSpec("first", deps=[done]), dg.AssetSpec("second", deps=[done])])
def begun(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    yield dg.MaterializeResult("first")
    context.log.info(LAST_WORD)
    yield dg.MaterializeResult("second")


@dg.asset(deps=["second"])
def not_begun() -> None:
    """Nothing."""


@dataclass(frozen=True)
class DeadRuns:
    """A project whose runs are killed."""

    settings: ObservabilitySettings
    repository: dg.RepositoryDefinition
    instance: dg.DagsterInstance

    def died(
        self,
        *,
        status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED,
        begins: bool = True,
        falls_silent_at: str = "",
    ) -> dg.DagsterRun:
        """A run that was killed in its second step and then marked; gives it as it was before that.

        Args:
            status: As it was before.
            begins: Whether it got to carrying out steps.
            falls_silent_at: Type of the event from which on the process of the run is dead, and those of steps are not.
        """
        job = self.repository.get_job("nightly")
        whole = job.execute_in_process(instance=self.instance)
        run = self.instance.create_run_for_job(job, status=status)
        if begins:
            entries = _until_last_word(self.instance.all_logs(whole.run_id))
            self._carry_out(run, job, entries, falls_silent_at=falls_silent_at)
        self.instance.report_run_failed(run, "Its process is gone.")
        return run

    def end(self, run: dg.DagsterRun) -> list[str]:
        """Tell the end of *run*; gives the warnings."""
        warnings: list[str] = []
        tell_end_of_dead_run(run, self.repository, self.instance, warn=warnings.append)
        return warnings

    def spans(self, run: dg.DagsterRun) -> dict[str, LocalSpan]:
        file = self.settings.traces_folder / f"{run.run_id}.jsonl"
        found = read_trace(RunFile(run.run_id, file, 0)).spans
        assert len(file.read_text().splitlines()) == len(found)  # none was written twice
        return {span.name: span for span in found}

    def events(self, run: dg.DagsterRun) -> list[Event]:
        return read_events(self.settings.lineage_folder / f"{run.run_id}.jsonl")

    def _carry_out(
        self,
        run: dg.DagsterRun,
        job: dg.JobDefinition,
        entries: Sequence[dg.EventLogEntry],
        *,
        falls_silent_at: str,
    ) -> None:
        """What the process of *run* stores and what it tells until it is killed."""
        observers = open_observers(
            self.settings, environ=os.environ, warn=pytest.fail, assets=lambda: known_assets(job)
        )
        now = int(entries[0].timestamp * 1e9)
        records = RunRecords(run_scope(run), job, self.instance, clock=lambda: now)
        told, is_silent = list(records.begin()), False
        for entry in entries:
            now = int(entry.timestamp * 1e9) + 1_000_000
            self.instance.event_log_storage.store_event(entry._replace(run_id=run.run_id))
            if entry.dagster_event is not None and entry.dagster_event.event_type_value == falls_silent_at:
                is_silent = True
            if entry.dagster_event is not None and not is_silent:
                told += records.take(entry.dagster_event)
        for record in told:
            observers.observe(record)
        observers.flush()


def _until_last_word(entries: Sequence[dg.EventLogEntry]) -> Sequence[dg.EventLogEntry]:
    last = next(number for number, entry in enumerate(entries) if entry.user_message == LAST_WORD)
    return entries[: last + 1]


@pytest.fixture
def dead_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeadRuns]:
    for name in ("OTEL_SDK_DISABLED", "OTEL_EXPORTER_OTLP_ENDPOINT", "OPENLINEAGE_DISABLED", "OPENLINEAGE_URL"):
        monkeypatch.delenv(name, raising=False)
    settings = ObservabilitySettings("shop", "floe", tmp_path)
    executor = observed_executor(dg.in_process_executor, settings)
    job = dg.define_asset_job("nightly")
    repository = dg.Definitions([done, begun, not_begun], jobs=[job], executor=executor).get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        yield DeadRuns(settings, repository, instance)


def test_what_had_begun_has_failed_when_the_run_was_last_heard_of(dead_runs: DeadRuns) -> None:
    run = dead_runs.died()
    assert set(dead_runs.spans(run)) == {"step done", "asset done"}

    warnings = dead_runs.end(run)

    spans = dead_runs.spans(run)
    assert warnings == []
    assert {name: span.status for name, span in spans.items()} == {
        "step done": "ok",
        "asset done": "ok",
        "step begun": "error",
        "asset first": "ok",
        "asset second": "error",
        "run nightly": "error",
    }
    assert spans["run nightly"].message == "the process of the run ended before the run"
    last = next(e.timestamp for e in dead_runs.instance.all_logs(run.run_id) if e.user_message == LAST_WORD)
    assert spans["run nightly"].ended_at == spans["asset second"].ended_at
    assert 0 <= spans["run nightly"].ended_at / 1e9 - last <= 1.01
    assert all(spans["run nightly"].started_at <= span.started_at <= span.ended_at for span in spans.values())


def test_every_lineage_run_that_began_has_one_end(dead_runs: DeadRuns) -> None:
    run = dead_runs.died()
    assert len([events for events in by_run(dead_runs.events(run)).values() if len(events) == 1]) == 3

    dead_runs.end(run)

    events = dead_runs.events(run)
    check_events(events)
    assert {job: event["eventType"] for job, event in ends(events).items()} == {
        "shop": "FAIL",
        "shop.done": "COMPLETE",
        "shop.first": "COMPLETE",
        "shop.second": "FAIL",
    }
    message = ends(events)["shop"]["run"]["facets"]["errorMessage"]["message"]
    assert message == "ProcessEnded: the process of the run ended before the run"


def test_what_is_sent_elsewhere_is_ended_there_and_sent_once(
    dead_runs: DeadRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = LineageReceiver()
    with receiver.open(), http_receiver() as collector:
        monkeypatch.setenv("OPENLINEAGE_URL", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.endpoint}/v1/traces")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        run = dead_runs.died()

        warnings = dead_runs.end(run)

    assert warnings == []
    check_events(receiver.events)
    assert {job: event["eventType"] for job, event in ends(receiver.events).items()} == {
        "shop": "FAIL",
        "shop.done": "COMPLETE",
        "shop.first": "COMPLETE",
        "shop.second": "FAIL",
    }
    names = sorted(span.name for span in collector.spans)
    assert names == ["asset done", "asset first", "asset second", "run nightly", "step begun", "step done"]


def test_a_step_that_outlived_the_process_of_its_run_has_succeeded(dead_runs: DeadRuns) -> None:
    run = dead_runs.died(falls_silent_at="STEP_SUCCESS")
    assert not (dead_runs.settings.traces_folder / f"{run.run_id}.jsonl").exists()

    dead_runs.end(run)

    spans = dead_runs.spans(run)
    assert (spans["step done"].status, spans["asset done"].status, spans["run nightly"].status) == ("ok", "ok", "error")
    assert ends(dead_runs.events(run))["shop.done"]["eventType"] == "COMPLETE"


def test_a_run_that_was_being_cancelled_has_not_failed(dead_runs: DeadRuns) -> None:
    run = dead_runs.died(status=dg.DagsterRunStatus.CANCELING)

    dead_runs.end(run)

    assert dead_runs.spans(run)["run nightly"].status == "unset"
    assert ends(dead_runs.events(run))["shop"]["eventType"] == "ABORT"


def test_of_a_run_that_had_not_begun_nothing_is_told(dead_runs: DeadRuns) -> None:
    run = dead_runs.died(begins=False)

    assert dead_runs.end(run) == []
    assert not dead_runs.settings.folder.joinpath("traces").exists()


def test_a_run_of_a_job_that_is_gone_is_told_of_with_a_warning(dead_runs: DeadRuns) -> None:
    run = dead_runs.died()._replace(job_name="gone")

    (warning,) = dead_runs.end(run)

    assert warning.startswith(f"the end of run {run.run_id} could not be observed: ")
