"""A shop whose dbt project has every kind of node, in a folder of its own, compiled and run."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.errors import DagsterExecutionInterruptedError

from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project
from floe_dagster.observability.local.files import RunFile
from floe_dagster.observability.local.traces import LocalSpan, read_trace
from floe_dagster.observability.settings import OBSERVABILITY_DIR, TRACES_DIR
from floe_dagster.running.code_locations import CodeLocation, load_code_location
from floe_dagster.running.code_pointer import find_code_pointer
from plugins.user_project import forgotten_imports

_PROJECT = Path(__file__).parent / "projects" / "observed_shop"


@dataclass(frozen=True)
class ObservedShop:
    """A compiled copy of the project."""

    project: ProjectFolder

    @classmethod
    def copy_to(cls, folder: Path, *, edit: Callable[[Path], object] = lambda _: None) -> "ObservedShop":
        """Copy the project to *folder*, let *edit* change its files, and compile it."""
        shutil.copytree(_PROJECT, folder)
        edit(folder)
        project = ProjectFolder(folder)
        with forgotten_imports(folder), chdir(folder):
            compile_project(project, environ=os.environ)
        return cls(project)

    @property
    def path(self) -> Path:
        return self.project.path

    @property
    def floe_dir(self) -> Path:
        return self.project.floe_dir

    @contextmanager
    def loaded(self, environ: Mapping[str, str] | None = None) -> Iterator[CodeLocation]:
        """The definitions, as a run worker has them, under these variables."""
        with forgotten_imports(self.path), chdir(self.path), _variables(environ or {}):
            yield load_code_location(find_code_pointer(self.project), project_dir=self.path)

    def execute(
        self,
        instance: dg.DagsterInstance,
        job: str = "everything",
        *,
        fails: str = "nothing",
        executor: str = "in_process",
        environ: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> dg.DagsterRun:
        """Carry out a run as a run worker does, with the job's executor; gives the run as it ended.

        Args:
            instance: One that keeps its runs in files, such as `dg.DagsterInstance.local_temp()`.
            job: A job of floe.yaml.
            fails: See floe.yaml.
            executor: `in_process`, or `multiprocess`.
            environ: More variables, of this process and those of the steps.
            tags: Of the run.
        """
        variables = {"FAILS": fails, "EXECUTOR": executor, **(environ or {})}
        with self.loaded(variables) as location:
            for cached in (ReconstructableJob.get_definition, ReconstructableJob.get_repository_definition):
                cached.cache_clear()  # by name: it may be that of other variables
            run_job = location.repository.get_reconstructable_job(job)
            with suppress(KeyboardInterrupt, DagsterExecutionInterruptedError):
                dg.execute_job(run_job, instance, tags=dict(tags or {}))
        return instance.get_runs(limit=1)[0]

    def spans_of(self, run: dg.DagsterRun) -> list[LocalSpan]:
        """What the run has left in its local file, which it has where its spans are sent to nobody."""
        file = self.floe_dir / OBSERVABILITY_DIR / TRACES_DIR / f"{run.run_id}.jsonl"
        if not file.exists():
            return []
        trace = read_trace(RunFile(run.run_id, file, 0))
        assert trace.unreadable_lines == 0
        return list(trace.spans)


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
