"""Everything that is wrong with a project, as far as it can be told."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from floe_cli.loading import load_with_location
from floe_core.compiler.artifacts import CompiledArtifacts
from floe_core.compiler.checks import CheckedDocuments, read_documents
from floe_core.compiler.known_part import KnownPart, known_part, profiles_are_known
from floe_core.compiler.references import UNKNOWN_NAME
from floe_core.compiler.secret_checks import missing_when_loading
from floe_core.errors import Problem, ProblemCollector, YamlPath
from floe_core.interpolation import is_unset
from floe_core.project import ProjectFolder
from floe_core.schemas.orchestration_config import DbtConfig
from floe_dagster.asset_settings.materialised_partitions import check_materialised_partitions
from floe_dagster.compilation import compile_documents, compile_project
from floe_dagster.dbt.project import effective_dbt
from floe_dagster.loading import LoadedProject, stumbled
from floe_dagster.running.instance import find_dagster_home, open_instance
from floe_dagster.running.job_checks import check_jobs
from floe_dagster.targets import load_target

Progress = Callable[[str], None]

_TARGET_FIELDS = frozenset({"target_function", "fn", "translator"})
_FREE_FIELDS = frozenset({"args", "config", "metadata", "partition_column", "tags", "vars"})
_NO_INSTANCE = "there is no Dagster instance yet to compare with (DAGSTER_HOME, else .floe/dagster_home)"
_NOT_WHOLE = "the Dagster instance was not looked at: the project has to be known as a whole for that"


@dataclass(frozen=True)
class CheckedProject:
    """A project that was looked through; `loaded` is None where too little is known to make definitions of it."""

    documents: CheckedDocuments
    loaded: LoadedProject | None
    dagster_home: Path | None = None  # of the instance that was looked at
    why_no_instance: str = ""  # why none was, though that was asked for
    missing_secrets: Sequence[str] = ()  # that definitions need when they load

    @property
    def unset(self) -> list[str]:
        """The variables and secrets that are needed and not set."""
        variables = (*self.documents.document.unset, *self.documents.platform.unset)
        return list(dict.fromkeys([*(variable.name for variable in variables), *self.missing_secrets]))


def check_project(
    project: ProjectFolder,
    *,
    environ: Mapping[str, str],
    strict_env: bool,
    problems: ProblemCollector,
    progress: Progress,
    with_instance: bool = False,
) -> CheckedProject:
    """Compile and load the project to find everything that is wrong with it.

    What is wrong in its documents, or waits for a variable that is not set, is left out with whatever needs it; all
    else is compiled and loaded all the same.

    Args:
        project: Where floe.yaml is.
        environ: Values for `${…}`.
        strict_env: Whether a required variable that is not set is an error.
        problems: Where problems are noted.
        progress: Called with what is being done now.
        with_instance: Whether what the Dagster instance holds is compared, where there is one.

    Raises:
        FloeError: Problems that nothing more can be said after.
    """
    documents = read_documents(project, environ=environ, strict_env=strict_env)
    problems.extend(documents.errors)
    missing = missing_when_loading(documents.platform.spec, environ=environ)
    checker = _Checker(project, environ, documents, known_part(documents.document), missing, problems, progress)
    loaded: LoadedProject | None = None
    try:
        with problems.collecting():
            loaded = checker.load(checker.compile())
    except Exception as error:  # what is loaded of a project with mistakes may stumble over them: both are told
        if not problems.errors:
            raise
        problems.add(stumbled(error))
    if problems.errors:
        problems.extend(checker.check_targets())
    problems.extend(_still_open(documents.warnings, problems.errors, is_loaded=loaded is not None))
    if not with_instance:
        return CheckedProject(documents, loaded, missing_secrets=missing)
    home: Path | None = None
    with problems.collecting():
        home = find_dagster_home(project, environ=environ)
        if home is not None and loaded is not None and checker.is_whole:
            problems.extend(checker.compare(loaded))
            return CheckedProject(documents, loaded, home)
    return CheckedProject(documents, loaded, None, _NOT_WHOLE if home else _NO_INSTANCE, missing)


@dataclass(frozen=True)
class _Checker:
    project: ProjectFolder
    environ: Mapping[str, str]
    documents: CheckedDocuments
    known: KnownPart
    missing_secrets: Sequence[str]
    problems: ProblemCollector
    progress: Progress

    @property
    def is_whole(self) -> bool:
        """Whether everything in both documents is known, and all that definitions need to load."""
        document, platform = self.documents.document, self.documents.platform
        return not (self.documents.errors or document.unset or platform.unset or self.missing_secrets)

    def compile(self) -> CompiledArtifacts | None:
        """What is compiled of what is known: without dbt where that has errors itself, which are noted.

        None where everything is known and was written. A project that cannot be written is compiled in memory.
        """
        dbt = effective_dbt(self.known.spec)
        if self.is_whole and self.project.can_be_written():
            with self.problems.collecting():
                compiled = compile_project(self.project, environ=self.environ, progress=self.progress)
                self.problems.extend(compiled.dbt_warnings)
                return None
        elif self.known.assets and profiles_are_known(self.known.spec, self.documents.platform.spec):
            with self.problems.collecting():
                return self.compile_known(dbt)
        return self.compile_known(None)

    def compile_known(self, dbt: DbtConfig | None) -> CompiledArtifacts:
        document = replace(self.documents.document, spec=self.known.spec)
        documents = replace(self.documents, document=document)
        compiled = compile_documents(documents, dbt, project=self.project, progress=self.progress)
        self.problems.extend(compiled.dbt_warnings)
        return compiled.artifacts

    def load(self, artifacts: CompiledArtifacts | None) -> LoadedProject:
        loaded, location = load_with_location(self.project, artifacts=artifacts, progress=self.progress)
        self.problems.extend(loaded.warnings)
        document = loaded.document
        jobs = document.spec.orchestration.jobs
        places = {name: document.source.locate("orchestration", "jobs", name, key=True) for name in jobs}
        self.problems.extend(check_jobs(location, places=places, origins=loaded.job_origins))
        return loaded

    def check_targets(self) -> Iterator[Problem]:
        """The references that lead nowhere and were not looked at, since something around them is wrong."""
        told = {(error.what, error.location.line) for error in self.problems.errors if error.location is not None}
        document = self.documents.document
        for path, reference in _targets_in(document.values):
            location = document.source.locate(*path)
            found = ProblemCollector()
            with found.collecting():
                load_target(reference, location=location)
            yield from (problem for problem in found.problems if (problem.what, location.line) not in told)

    def compare(self, loaded: LoadedProject) -> tuple[Problem, ...]:
        """What the project's Dagster instance holds and the definitions do not know."""
        self.progress("looking at the materialised partitions")
        with open_instance(self.project, loaded.platform.spec, environ=self.environ) as instance:
            return tuple(
                check_materialised_partitions(
                    loaded.resolve_specs(),
                    index=loaded.index,
                    settings=loaded.settings,
                    partitions=loaded.document.spec.orchestration.partitions,
                    instance=instance,
                )
            )


def _targets_in(value: object, path: YamlPath = ()) -> Iterator[tuple[YamlPath, str]]:
    """Where in a floe.yaml functions and classes are named."""
    items: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, Mapping):
        items = ((key, item) for key, item in value.items() if key not in _FREE_FIELDS)
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        is_hook = key == "hooks" or (path[-1:] == ("hooks",) and isinstance(value, list))
        if isinstance(item, str) and not is_unset(item) and (key in _TARGET_FIELDS or is_hook):
            yield (*path, key), item
        else:
            yield from _targets_in(item, (*path, key))


def _still_open(warnings: Iterable[Problem], errors: Iterable[Problem], *, is_loaded: bool) -> Iterator[Problem]:
    """The *warnings* but for those of jobs that modules may define: loading tells for certain."""
    certain = {(error.code, error.location) for error in errors}
    for warning in warnings:
        if warning.code != UNKNOWN_NAME or not (is_loaded or (warning.code, warning.location) in certain):
            yield warning
