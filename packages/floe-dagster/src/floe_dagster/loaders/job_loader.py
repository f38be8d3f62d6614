"""`orchestration.jobs` as Dagster jobs, which Dagster resolves when it needs them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from floe_core.errors import LoadError, Problem, ProblemCollector, YamlPath
from floe_core.schemas.job_definition import BatchJob, JobDefinition, OpsJob
from floe_core.source_map import SourceMap
from floe_core.suggestions import list_names
from floe_dagster.launching.hooks import load_hook, plain_function
from floe_dagster.launching.launchable import Launchable, LaunchableAssets, check_asked_resources, select_launched
from floe_dagster.launching.run_config import RunConfigPlace, RunConfigSchema, check_run_config
from floe_dagster.ops.ops_job import OpsJobPlace, build_ops_job
from floe_dagster.selection.resolution import Keys, SelectionPlace, translate_selection

DEFAULT_EXECUTOR = "default"
MAX_RETRIES_TAG = "dagster/max_retries"
MAX_RUNTIME_TAG = "dagster/max_runtime"


def build_jobs(
    jobs: Mapping[str, JobDefinition],
    *,
    assets: LaunchableAssets,
    source: SourceMap,
    executors: Mapping[str, dg.ExecutorDefinition],
    resources: Mapping[str, object] | None = None,
) -> dict[str, Launchable]:
    """Build every job.

    None over assets is resolved against Dagster's asset graph, which takes long and is left to who needs the one job.
    What resolving would refuse, and what Dagster refuses only when a run starts, is found here.

    Args:
        jobs: `orchestration.jobs`.
        assets: All assets that the definitions have.
        source: Where floe.yaml stands.
        executors: By the name of the execution profile; every one that a job names is there, as `check_profiles` sees
            to. `default`, if it is there, runs the jobs that name none.
        resources: All resources of the definitions; without them, neither run config of resources nor what hooks ask
            for is checked.

    Returns:
        {name: job}

    Raises:
        LoadError: The selection, name, tags, hooks, run config, function or arguments of a job are wrong; all problems
            at once.
    """
    collector = ProblemCollector()
    built: dict[str, Launchable] = {}
    for name, job in jobs.items():
        with collector.collecting():
            match job:
                case BatchJob():
                    builder = _BatchJobBuilder(name, job, assets, source, executors, resources)
                    built[name] = builder.build()
                case OpsJob():
                    collector.extend(_check_name(name, assets, source))
                    place = OpsJobPlace(name, job, source, assets.node_names, resources)
                    built[name] = Launchable(build_ops_job(place))
                case _:
                    assert_never(job)
    collector.raise_if_any(LoadError)
    return built


@dataclass(frozen=True)
class _BatchJobBuilder:
    name: str
    job: BatchJob
    assets: LaunchableAssets
    source: SourceMap
    executors: Mapping[str, dg.ExecutorDefinition]
    resources: Mapping[str, object] | None

    def build(self) -> Launchable:
        collector = ProblemCollector([*_check_name(self.name, self.assets, self.source), *self.check_tags()])
        with collector.collecting():
            hooks = self.load_hooks()
        with collector.collecting():
            place = SelectionPlace(self.subject, self.source, (*self.path, "selection"), (*self.path, "exclude"))
            keys, partitions_def = select_launched(
                self.job.selection, exclude=self.job.exclude, assets=self.assets, place=place
            )
            collector.extend(self.check_config(keys))
        collector.raise_if_any(LoadError)
        return Launchable(self.define_job(hooks), partitions_def, keys=keys)

    def define_job(self, hooks: frozenset[dg.HookDefinition]) -> UnresolvedAssetJobDefinition:
        try:
            return dg.define_asset_job(
                self.name,
                selection=translate_selection(self.job.selection, exclude=self.job.exclude, index=self.assets.index),
                config=self.job.config or None,
                description=self.job.description,
                tags={**self.job.tags, **{tag: str(value) for _, tag, value in self.tags_of_fields()}},
                # one that does not exist was told with the documents, and the job is looked at all the same
                executor_def=self.executors.get(self.job.executor) if self.job.executor else None,
                hooks=hooks,
            )
        except dg.DagsterInvalidDefinitionError as error:
            location = self.source.locate(*self.path)
            raise LoadError(Problem("FLOE-350", f"Dagster refuses {self.subject}: {error}", location)) from error

    @property
    def subject(self) -> str:
        return f"job '{self.name}'"

    @property
    def path(self) -> YamlPath:
        return ("orchestration", "jobs", self.name)

    @property
    def executor(self) -> dg.ExecutorDefinition | None:
        return self.executors.get(self.job.executor or DEFAULT_EXECUTOR)

    def tags_of_fields(self) -> Iterator[tuple[str, str, int]]:
        """Fields that become run tags of Dagster, with tag and value."""
        if self.job.max_retries is not None:
            yield "max_retries", MAX_RETRIES_TAG, self.job.max_retries
        if self.job.max_runtime_seconds is not None:
            yield "max_runtime_seconds", MAX_RUNTIME_TAG, self.job.max_runtime_seconds

    def check_tags(self) -> Iterator[Problem]:
        for field_name, tag, _ in self.tags_of_fields():
            if tag in self.job.tags:
                yield Problem(
                    "FLOE-355",
                    f"{self.subject} sets tag '{tag}' beside '{field_name}'",
                    self.source.locate(*self.path, "tags", tag, key=True),
                    why=f"'{field_name}' becomes that tag, and the two could differ",
                    fix="delete one of the two",
                )

    def check_config(self, keys: Keys) -> Iterator[Problem]:
        if self.job.config:
            schema = RunConfigSchema(self.assets.ops_of(keys), self.resources, self.executor)
            place = RunConfigPlace(self.subject, self.source, (*self.path, "config"))
            yield from check_run_config(self.job.config, schema=schema, place=place)

    def load_hooks(self) -> frozenset[dg.HookDefinition]:
        collector = ProblemCollector()
        hooks: list[dg.HookDefinition] = []
        for number, hook in enumerate(self.job.hooks):
            item = (*self.path, "hooks", number)
            path = item if item in self.source else item[:-1]
            function = (*path, "target_function")
            location = self.source.locate(*(function if function in self.source else path))
            with collector.collecting():
                loaded = load_hook(hook, location=location)
                who = f"hook '{hook.target_function}'"
                collector.extend(
                    check_asked_resources(
                        loaded.required_resource_keys,
                        who=who,
                        resources=self.resources,
                        location=location,
                        fn=plain_function(hook, location=location),
                    )
                )
                hooks.append(loaded)
        collector.raise_if_any(LoadError)
        return frozenset(hooks)


def _check_name(name: str, assets: LaunchableAssets, source: SourceMap) -> Iterator[Problem]:
    definition = assets.node_names.get(name)
    if definition is not None:
        keys = sorted(key.to_user_string() for key in definition.keys)
        other = f"asset '{keys[0]}'" if keys == [name] else f"an op that computes {list_names(keys)}"
        yield Problem(
            "FLOE-352",
            f"job '{name}' has the name of {other if keys else 'an asset check'}",
            source.locate("orchestration", "jobs", name, key=True),
            why="Dagster makes an op of an asset, and no job may be named like an op",
            fix=f"rename the job, for example to '{name}_job'",
        )
