"""Working on a backfill in this process, a run after the other, where no daemon does."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, assert_never

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG

from floe_dagster.backfilling.decisions import Finish, Lack, Launch, Stop, Wait
from floe_dagster.backfilling.plan import BackfillPlan
from floe_dagster.backfilling.run_requests import PreparedRun, tags_as_of_sensor
from floe_dagster.backfilling.state import BackfillState, read_state
from floe_dagster.backfilling.switch import is_daemon_alive
from floe_dagster.backfilling.takeover import end_dead_runs, withdraw_waiting_runs
from floe_dagster.running.code_locations import CodeLocation
from floe_dagster.running.runs import RunReport, execute_job

_SECONDS_BETWEEN_LOOKS = 1.0


class BackfillListener(Protocol):
    """Told of what happens to a backfill while it happens."""

    def show_state(self, state: BackfillState) -> None:
        """Where it stands now."""

    def begin_run(self, run: PreparedRun) -> None:
        """A run begins in this process."""

    def end_run(self, run: PreparedRun, report: RunReport) -> None:
        """It has ended."""


@dataclass(frozen=True)
class BackfillWork:
    """Everything that it takes to work on a backfill in this process.

    Args:
        plan: Puts the plan together as of now: dynamic keys come and go.
        location: Where its job is from.
        instance: Where its runs are.
        launches: Folder in which it is noted which runs this process carries out.
        listener: Told of what happens.
        leave: Ends this process, when a step does not let its run end; see `execute_job`.
    """

    plan: Callable[[], BackfillPlan]
    location: CodeLocation
    instance: dg.DagsterInstance
    launches: Path
    listener: BackfillListener
    leave: Callable[[RunReport], object] | None = None

    def run_to_end(self) -> BackfillState:
        """Launch batch after batch until there is nothing to do; gives where the backfill stands then.

        Raises:
            KeyboardInterrupt: It was interrupted; the run that was under way is canceled.
        """
        while True:
            state = read_state(self.plan(), self.instance)
            self.listener.show_state(state)
            match state.decision:
                case Launch():
                    self._carry_out(state)
                case Wait():
                    self._wait(state)
                case Stop() | Lack() | Finish():
                    return state
                case _:
                    assert_never(state.decision)

    def _carry_out(self, state: BackfillState) -> None:
        for run in state.next_runs:
            if self._is_launched(run, state.plan):
                continue
            match state.what_became_of(run, self.instance):
                case "done":
                    continue
                case "changed":
                    return  # to look again what is left of it
                case "lacking":
                    pass
            self.listener.begin_run(run)
            report = execute_job(
                self.location,
                state.plan.job,
                self.instance,
                run_config=run.run_config,
                tags=tags_as_of_sensor(state.plan, run),
                assets=run.assets,
                listener=lambda _: None,
                launches_dir=self.launches,
                leave=self.leave,
            )
            self.listener.end_run(run, report)
            if report.status == "canceled":
                raise KeyboardInterrupt

    def _is_launched(self, run: PreparedRun, plan: BackfillPlan) -> bool:
        """Whether somebody else launched the very run meanwhile."""
        same = dg.RunsFilter(tags={**plan.identity.tags, RUN_KEY_TAG: run.run_key})
        return self.instance.get_runs_count(same) > 0

    def _wait(self, state: BackfillState) -> None:
        identity = state.plan.identity
        withdrawn = [] if is_daemon_alive(self.instance) else withdraw_waiting_runs(identity, self.instance)
        if not withdrawn and not end_dead_runs(identity, self.instance, launches=self.launches):
            time.sleep(_SECONDS_BETWEEN_LOOKS)
