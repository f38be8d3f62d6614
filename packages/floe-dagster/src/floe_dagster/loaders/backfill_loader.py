"""`orchestration.backfills` as Dagster sensors."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from floe_core.errors import LoadError, Problem, ProblemCollector
from floe_core.schemas.backfill_definition import BackfillDefinition
from floe_core.source_map import SourceMap
from floe_dagster.backfilling.identity import BackfillIdentity
from floe_dagster.backfilling.key_checks import BackfillPlace, check_keys
from floe_dagster.backfilling.plan import not_partitioned, plan_backfill
from floe_dagster.backfilling.state import describe_state, read_state
from floe_dagster.backfilling.turns import is_taken
from floe_dagster.launching.launchable import Launchable

_SECONDS_BETWEEN_TICKS = 5  # a batch is not followed at once: this long nothing may be running


def build_backfills(
    backfills: Mapping[str, BackfillDefinition],
    *,
    jobs: Mapping[str, Launchable],
    source: SourceMap,
    project: str,
    turns: Path,
    jobs_not_built: Collection[str] = (),
    now: datetime | None = None,
) -> dict[str, dg.SensorDefinition]:
    """Build the sensor of every backfill, by the sensor's name.

    Args:
        backfills: `orchestration.backfills`; the jobs that they name are known to exist.
        jobs: All jobs of the definitions by name, those of Python modules among them.
        source: Where floe.yaml stands.
        project: The project's name, by which its runs are told from those of other projects.
        turns: The folder in which command lines note what they work on.
        jobs_not_built: Names of the jobs that exist but are not among *jobs*; none of them has partitions.
        now: The instant as of which partitions exist.

    Raises:
        LoadError: A job has no partitions, or not those that a backfill names; all problems at once.
    """
    collector = ProblemCollector()
    sensors: dict[str, dg.SensorDefinition] = {}
    for name, backfill in backfills.items():
        builder = _BackfillBuilder(name, backfill, source, project, turns)
        launched = jobs.get(backfill.job)
        collector.extend(builder.check(launched, at=now or datetime.now(UTC)))
        if launched is not None:
            sensor = builder.build(launched)
            sensors[sensor.name] = sensor
        elif backfill.job not in jobs_not_built:
            raise KeyError(backfill.job)
    collector.raise_if_any(LoadError)
    return sensors


@dataclass(frozen=True)
class _BackfillBuilder:
    name: str
    backfill: BackfillDefinition
    source: SourceMap
    project: str
    turns: Path

    def build(self, launched: Launchable) -> dg.SensorDefinition:
        identity = BackfillIdentity(self.project, self.name)
        return dg.SensorDefinition(
            name=identity.sensor_name,
            job=launched.job,
            evaluation_fn=self.evaluate,
            minimum_interval_seconds=_SECONDS_BETWEEN_TICKS,
            description=self.backfill.description or f"Backfill '{self.name}': switched on, it starts or resumes.",
            default_status=dg.DefaultSensorStatus.STOPPED,
        )

    def evaluate(self, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """One tick."""
        if is_taken(self.turns, self.name):
            return dg.SkipReason(f"'floe backfill {self.name}' is at work in a terminal")
        assert context.repository_def is not None
        plan = plan_backfill(
            BackfillIdentity(self.project, self.name),
            self.backfill,
            context.repository_def.get_job(self.backfill.job),
            at=datetime.now(UTC),
            instance=context.instance,
        )
        state = read_state(plan, context.instance, started=context.last_sensor_start_time)
        requests = [run.request for run in state.next_runs]
        return dg.SensorResult(run_requests=requests) if requests else dg.SkipReason(describe_state(state))

    def check(self, launched: Launchable | None, *, at: datetime) -> Iterator[Problem]:
        place = BackfillPlace(self.name, self.source)
        if launched is None or (launched.partitions_known and launched.partitions_def is None):
            yield not_partitioned(place.subject, self.backfill.job, place.source.locate(*place.path, "job"))
        elif launched.partitions_def is not None:
            yield from check_keys(self.backfill, launched.partitions_def, place=place, at=at)
