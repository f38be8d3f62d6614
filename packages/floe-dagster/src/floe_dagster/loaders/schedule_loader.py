"""`orchestration.schedules` as Dagster schedules."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from floe_core.compiler.references import NAME_USED_TWICE, UNKNOWN_NAME
from floe_core.errors import LoadError, Location, Problem, ProblemCollector, TargetError, YamlPath
from floe_core.schemas.schedule_definition import ScheduleDefinition
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.launching.called_function import load_called_function
from floe_dagster.launching.launch_plan import LaunchPlan
from floe_dagster.launching.launchable import Launchable, LaunchableAssets, select_launched
from floe_dagster.launching.required_config import check_required_config
from floe_dagster.launching.run_config import RunConfigPlace, RunConfigSchema, check_job_run_config, check_run_config
from floe_dagster.launching.scheduled_runs import ScheduledRuns, ScheduleTarget
from floe_dagster.launching.ticks import exists_in
from floe_dagster.partitioning.choice import NO_PARTITION
from floe_dagster.partitioning.selectors import check_end, check_selector
from floe_dagster.selection.resolution import SelectionPlace, translate_selection
from floe_dagster.targets import load_target
from floe_dagster.user_code.tracebacks import UsersTraceback


@dataclass(frozen=True)
class BuiltSchedules:
    """The schedules by name, and those that are valid but not there.

    Args:
        schedules: Dagster's schedules.
        not_here: Names of the schedules of other environments.
        selectors: Names of the schedules of partitioned jobs, each with the partitions that a tick launches.
        warnings: What the schedules do not launch although their jobs have it.
    """

    schedules: Mapping[str, dg.ScheduleDefinition] = field(default_factory=dict)
    not_here: tuple[str, ...] = ()
    selectors: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()

    def with_others(self, others: "BuiltSchedules") -> "BuiltSchedules":
        """These and *others*, which have other names."""
        return BuiltSchedules(
            {**self.schedules, **others.schedules},
            (*self.not_here, *others.not_here),
            {**self.selectors, **others.selectors},
            (*self.warnings, *others.warnings),
        )


def build_schedules(
    schedules: Mapping[str, ScheduleDefinition],
    *,
    jobs: Mapping[str, Launchable],
    assets: LaunchableAssets,
    source: SourceMap,
    environment: str,
    sensor_names: Collection[str] = (),
    resources: Mapping[str, object] | None = None,
) -> BuiltSchedules:
    """Build every schedule that exists in *environment*; those of other environments are checked all the same.

    Args:
        schedules: `orchestration.schedules`.
        jobs: All jobs of the definitions by name, those of Python modules among them.
        assets: All assets that the definitions have.
        source: Where floe.yaml stands.
        environment: Name of the environment that the definitions are for.
        sensor_names: Names that sensors have.
        resources: All resources of the definitions; without them, neither run config of resources nor what functions
            ask for is checked.

    Raises:
        LoadError: The job, selection, name, function, partitions or run config of a schedule are wrong; all problems at
            once.
    """
    collector = ProblemCollector()
    built: dict[str, dg.ScheduleDefinition] = {}
    not_here: list[str] = []
    selectors: dict[str, str] = {}
    for name, schedule in schedules.items():
        builder = _ScheduleBuilder(name, schedule, jobs, assets, source, resources)
        with collector.collecting():
            collector.extend(builder.check_name(sensor_names))
            runs = builder.load_runs()
            definition = builder.define_schedule(runs)
            if not exists_in(schedule.environments, environment):
                not_here.append(name)
                continue
            built[name] = definition
            collector.extend(builder.check_conditions(runs.target))
            collector.extend(builder.check_end(runs))
            if runs.selects_partitions:
                selectors[name] = runs.selector
    collector.raise_if_any(LoadError)
    return BuiltSchedules(built, tuple(not_here), selectors, collector.warnings)


@dataclass(frozen=True)
class _ScheduleBuilder:
    name: str
    schedule: ScheduleDefinition
    jobs: Mapping[str, Launchable]
    assets: LaunchableAssets
    source: SourceMap
    resources: Mapping[str, object] | None

    def load_runs(self) -> ScheduledRuns:
        """What the schedule launches at a tick."""
        target = self.find_target()
        collector = ProblemCollector([*self.check_config(target), *self.check_partition_selector(target)])
        runs = ScheduledRuns(self.subject, self.schedule, target)
        with collector.collecting():
            runs = self.load_function(target)
        collector.raise_if_any(LoadError)
        return runs

    def define_schedule(self, runs: ScheduledRuns) -> dg.ScheduleDefinition:
        schedule = self.schedule
        location = self.source.locate(*self.path, key=True)

        def evaluate(context: dg.ScheduleEvaluationContext) -> Iterator[dg.SkipReason | dg.RunRequest]:
            with UsersTraceback(at=location):
                yield from runs.at(context)

        crons = list(schedule.cron_schedule)  # the daemon of Dagster 1.13 stops at any other sequence
        try:
            return dg.ScheduleDefinition(
                name=self.name,
                target=runs.target.launched,
                cron_schedule=crons[0] if len(crons) == 1 else crons,
                execution_timezone=schedule.timezone,
                default_status=_status(enabled=schedule.enabled),
                description=schedule.description,
                tags=schedule.tags,
                execution_fn=evaluate,
                required_resource_keys=set(runs.function.resource_keys if runs.function else ()),
            )
        except dg.DagsterInvalidDefinitionError as error:
            tag = next((tag for tag in schedule.tags if tag in str(error)), None)
            location = self.source.locate(*self.path, *(() if tag is None else ("tags", tag)), key=True)
            raise LoadError(Problem("FLOE-350", f"Dagster refuses {self.subject}: {error}", location)) from error

    @property
    def subject(self) -> str:
        return f"schedule '{self.name}'"

    @property
    def path(self) -> YamlPath:
        return ("orchestration", "schedules", self.name)

    def find_target(self) -> ScheduleTarget:
        schedule = self.schedule
        if schedule.job is None:
            place = SelectionPlace(self.subject, self.source, (*self.path, "selection"))
            keys, partitions_def = select_launched(schedule.selection, assets=self.assets, place=place)
            selection = translate_selection(schedule.selection, index=self.assets.index)
            plan = LaunchPlan.of(keys, self.assets)
            return ScheduleTarget("a selection", selection, self.assets, partitions_def, plan=plan)
        found = self.jobs.get(schedule.job)
        if found is None:
            raise LoadError(self.unknown_job(schedule.job))
        return ScheduleTarget(
            f"job '{schedule.job}'",
            found.job,
            self.assets,
            found.partitions_def,
            partitions_known=found.partitions_known,
            plan=None if found.keys is None else LaunchPlan.of(found.keys, self.assets),
        )

    def unknown_job(self, job: str) -> Problem:
        known = list(self.jobs)
        return Problem(
            UNKNOWN_NAME,
            f"{self.subject} starts job '{job}', which does not exist",
            self.source.locate(*self.path, "job"),
            why=f"the jobs are {list_names(known)}",
            fix=did_you_mean(job, known) or f"add '{job}' under orchestration.jobs",
        )

    def check_name(self, sensor_names: Collection[str]) -> Iterator[Problem]:
        if self.name in sensor_names:
            yield Problem(
                NAME_USED_TWICE,
                f"{self.subject} has the name of a sensor",
                self.source.locate(*self.path, key=True),
                why="in Dagster no two schedules or sensors share a name",
                fix="rename one of the two",
            )

    def check_config(self, target: ScheduleTarget) -> Iterator[Problem]:
        if target.plan is not None:
            problem = target.check_config(target.plan, self.source.locate(*self.path, "job"))
            if problem is not None:
                yield problem
        if self.schedule.target_function is None and not (target.plan and target.plan.has_nothing_left):
            yield from check_required_config(
                target.launched,
                target.plan.definitions if target.plan else (),
                given=self.schedule.config,
                subject=self.subject,
                what=target.what,
                location=self.source.locate(*self.path, "selection" if self.schedule.job is None else "job"),
            )
        if not self.schedule.config:
            return
        place = RunConfigPlace(self.subject, self.source, (*self.path, "config"))
        if target.plan is not None:
            schema = RunConfigSchema(self.assets.ops_of(target.plan.keys), self.resources)
            yield from check_run_config(self.schedule.config, schema=schema, place=place)
        elif isinstance(target.launched, dg.JobDefinition):
            yield from check_job_run_config(self.schedule.config, job=target.launched, place=place)

    def check_partition_selector(self, target: ScheduleTarget) -> Iterator[Problem]:
        schedule = self.schedule
        location = self.source.locate(*self.path, "partition_selector")
        if schedule.target_function is not None and schedule.partition_selector not in (None, NO_PARTITION):
            yield Problem(
                "FLOE-356",
                f"{self.subject} selects partitions and computes its runs with '{schedule.target_function}'",
                location,
                why="the function names the partition of each run",
                fix="delete one of the two",
            )
        elif target.partitions_known:
            yield from check_selector(
                schedule.partition_selector,
                target.partitions_def,
                who=self.subject,
                what=target.what,
                location=location,
            )

    def check_conditions(self, target: ScheduleTarget) -> Iterator[Problem]:
        """A warning of what the schedule leaves to automation conditions."""
        plan = target.plan
        if plan is None or not plan.left_out:
            return
        together = list_names(sorted(map("/".join, plan.left_out - self.assets.conditions)))
        also = "" if together == "none" else f", and Dagster executes {together} as one with what has a condition"
        yield Problem(
            "FLOE-349",
            f"{self.subject} never launches a run: every asset of {target.what} has an automation condition"
            if plan.has_nothing_left
            else f"{self.subject} leaves {plan.left_out_names} out of {target.what}",
            self.source.locate(*self.path, "selection" if self.schedule.job is None else "job"),
            why=f"an automation condition wins over a schedule{also}",
            fix="take the automation conditions away, or the assets out of the schedule",
            severity="warning",
        )

    def check_end(self, runs: ScheduledRuns) -> list[Problem]:
        """A warning of partitions that have ended."""
        if not runs.selects_partitions:
            return []
        field = "partition_selector" if self.schedule.partition_selector else None
        location = self.source.locate(*self.path, *([field] if field else []), key=field is None)
        return check_end(
            runs.selector, runs.target.partitions_def, who=self.subject, location=location, at=datetime.now(UTC)
        )

    def load_function(self, target: ScheduleTarget) -> ScheduledRuns:
        reference = self.schedule.target_function
        if reference is None:
            return ScheduledRuns(self.subject, self.schedule, target)
        location = self.source.locate(*self.path, "target_function")
        if isinstance(load_target(reference, location=location), dg.ScheduleDefinition | dg.SensorDefinition):
            raise TargetError(_no_request_function(self.subject, reference, location))
        use = f"{self.subject} computes its runs with"
        function = load_called_function(reference, use=use, location=location, resources=self.resources)
        return ScheduledRuns(self.subject, self.schedule, target, function)


def _status(*, enabled: bool) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if enabled else dg.DefaultScheduleStatus.STOPPED


def _no_request_function(subject: str, reference: str, location: Location) -> Problem:
    return Problem(
        "FLOE-312",
        f"{subject} computes its runs with '{reference}', which is a schedule or sensor of its own",
        location,
        why="the function takes the tick's context and returns run requests",
        fix="name the module of the schedule under orchestration.asset_modules, where it is loaded as it is",
    )
