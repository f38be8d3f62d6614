"""`orchestration.backfills` as Dagster sensors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from floe_core.errors import LoadError, Problem, ProblemCollector
from floe_core.schemas.backfill_definition import BackfillDefinition
from floe_core.source_map import SourceMap
from floe_core.suggestions import list_names
from floe_dagster.backfilling.decisions import Lack, Launch, Wait
from floe_dagster.backfilling.identity import BackfillIdentity
from floe_dagster.backfilling.key_checks import BackfillPlace, check_keys
from floe_dagster.backfilling.plan import not_partitioned, plan_backfill
from floe_dagster.backfilling.seen_runs import read_unfinished
from floe_dagster.backfilling.state import describe_state, read_state
from floe_dagster.backfilling.switch import find_switch
from floe_dagster.backfilling.takeover import end_dead_runs
from floe_dagster.backfilling.turns import TURNS_DIR, is_taken
from floe_dagster.launching.launchable import Launchable, LaunchableAssets
from floe_dagster.launching.required_config import check_required_config
from floe_dagster.running.launches import LAUNCHES_DIR
from floe_dagster.user_code.tracebacks import UsersTraceback

_SECONDS_BETWEEN_TICKS = 5  # a batch is not followed at once: this long nothing may be running


def build_backfills(
    backfills: Mapping[str, BackfillDefinition],
    *,
    jobs: Mapping[str, Launchable],
    source: SourceMap,
    project: str,
    folder: Path,
    now: datetime | None = None,
    assets: LaunchableAssets | None = None,
) -> dict[str, dg.SensorDefinition]:
    """Build the sensor of every backfill, by the sensor's name.

    Args:
        backfills: `orchestration.backfills`; one whose job is not there is left out, which is told elsewhere.
        jobs: All jobs of the definitions by name, those of Python modules among them.
        source: Where floe.yaml stands.
        project: The project's name, by which its runs are told from those of other projects.
        folder: Where command lines note what they work on.
        now: The instant as of which partitions exist.
        assets: All assets; without them, whether runs lack run config is not checked.

    Raises:
        LoadError: A job has no partitions, or not those that a backfill names; all problems at once.
    """
    collector = ProblemCollector()
    sensors: dict[str, dg.SensorDefinition] = {}
    for name, backfill in backfills.items():
        launched = jobs.get(backfill.job)
        if launched is None:
            continue
        builder = _BackfillBuilder(name, backfill, source, project, folder)
        collector.extend(builder.check(launched, at=now or datetime.now(UTC)))
        if assets is not None:
            collector.extend(builder.check_config(launched, assets))
        sensor = builder.build(launched)
        sensors[sensor.name] = sensor
    collector.raise_if_any(LoadError)
    return sensors


@dataclass(frozen=True)
class _BackfillBuilder:
    name: str
    backfill: BackfillDefinition
    source: SourceMap
    project: str
    folder: Path

    def build(self, launched: Launchable) -> dg.SensorDefinition:
        identity = BackfillIdentity(self.project, self.name)
        return dg.SensorDefinition(
            name=identity.sensor_name,
            job=launched.job,
            evaluation_fn=self.tick,
            minimum_interval_seconds=_SECONDS_BETWEEN_TICKS,
            description=self.backfill.description or f"Backfill '{self.name}': switched on, it starts or resumes.",
            default_status=dg.DefaultSensorStatus.STOPPED,
        )

    def tick(self, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """One tick, whose errors are told without floe's frames."""
        with UsersTraceback(at=self.source.locate("orchestration", "backfills", self.name, key=True)):
            return self.evaluate(context)

    def evaluate(self, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """One tick. A sensor with nothing to do switches itself off: switching it on again resumes."""
        if is_taken(self.folder / TURNS_DIR, self.name):
            return dg.SkipReason(f"'floe backfill {self.name}' is at work in a terminal")
        assert context.repository_def is not None
        identity = BackfillIdentity(self.project, self.name)
        end_dead_runs(identity, context.instance, launches=self.folder / LAUNCHES_DIR)
        unfinished = read_unfinished(identity, context.instance)
        if unfinished:
            return dg.SkipReason(f"the next batch comes after {list_names(unfinished)}")
        job = context.repository_def.get_job(self.backfill.job)
        plan = plan_backfill(
            identity, self.backfill, job, source=self.source, at=datetime.now(UTC), instance=context.instance
        )
        state = read_state(plan, context.instance, started=context.last_sensor_start_time)
        if not isinstance(state.decision, Launch | Wait | Lack):
            find_switch(identity, context).turn_off(context.instance)
        requests = [run.request for run in state.next_runs]
        return dg.SensorResult(run_requests=requests) if requests else dg.SkipReason(describe_state(state))

    def check(self, launched: Launchable, *, at: datetime) -> Iterator[Problem]:
        place = BackfillPlace(self.name, self.source)
        if launched.partitions_def is not None:
            yield from check_keys(self.backfill, launched.partitions_def, place=place, at=at)
        elif launched.partitions_known:
            yield not_partitioned(place, self.backfill.job)

    def check_config(self, launched: Launchable, assets: LaunchableAssets) -> Iterator[Problem]:
        yield from check_required_config(
            launched.job,
            assets.ops_of(launched.keys or ()).values(),
            given={},
            subject=f"backfill '{self.name}'",
            what=f"job '{self.backfill.job}'",
            location=self.source.locate("orchestration", "backfills", self.name, "job"),
        )
