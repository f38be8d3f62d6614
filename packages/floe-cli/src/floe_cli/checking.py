"""Everything that is wrong with a project, as far as it can be told."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from floe_cli.loading import load_definitions
from floe_core.compiler.checks import CheckedDocuments, read_documents
from floe_core.compiler.known_part import KnownPart, is_partly_unset, known_part, profiles_are_known
from floe_core.compiler.references import UNKNOWN_NAME
from floe_core.errors import Problem, ProblemCollector
from floe_core.interpolation import is_unset
from floe_core.project import ProjectFolder
from floe_dagster.asset_settings.materialised_partitions import check_materialised_partitions
from floe_dagster.compilation import CompilationResult, compile_documents, compile_project
from floe_dagster.dbt.project import effective_dbt
from floe_dagster.loaders.asset_loader import load_assets
from floe_dagster.loading import LoadedProject
from floe_dagster.running.instance import find_dagster_home, open_instance

Progress = Callable[[str], None]

_NO_INSTANCE = "there is no Dagster instance yet to compare with (DAGSTER_HOME, else .floe/dagster_home)"
_NOT_WHOLE = "the Dagster instance was not looked at: the project has to be known as a whole for that"


@dataclass(frozen=True)
class CheckedProject:
    """A project that was looked through; `loaded` is None where too little is known to make definitions of it."""

    documents: CheckedDocuments
    loaded: LoadedProject | None
    dagster_home: Path | None = None  # of the instance that was looked at
    why_no_instance: str = ""  # why none was, though that was asked for

    @property
    def unset(self) -> list[str]:
        """The variables that are needed and not set."""
        variables = (*self.documents.document.unset, *self.documents.platform.unset)
        return list(dict.fromkeys(variable.name for variable in variables))


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
    checker = _Checker(project, environ, documents, known_part(documents.document), problems, progress)
    loaded: LoadedProject | None = None
    with problems.collecting():
        compiled = checker.compile()
        if compiled is None:
            checker.import_modules()
        else:
            problems.extend(compiled.dbt_warnings)
            loaded = checker.load(compiled)
    problems.extend(_still_open(documents.warnings, problems.errors, is_loaded=loaded is not None))
    if not with_instance:
        return CheckedProject(documents, loaded)
    home: Path | None = None
    with problems.collecting():
        home = find_dagster_home(project, environ=environ)
        if home is not None and loaded is not None and checker.is_whole:
            problems.extend(checker.compare(loaded))
            return CheckedProject(documents, loaded, home)
    return CheckedProject(documents, loaded, None, _NOT_WHOLE if home else _NO_INSTANCE)


@dataclass(frozen=True)
class _Checker:
    project: ProjectFolder
    environ: Mapping[str, str]
    documents: CheckedDocuments
    known: KnownPart
    problems: ProblemCollector
    progress: Progress

    @property
    def is_whole(self) -> bool:
        """Whether everything in both documents is known."""
        document, platform = self.documents.document, self.documents.platform
        return not (self.documents.errors or document.unset or platform.unset)

    def compile(self) -> CompilationResult | None:
        """What is compiled of the project; None where dbt cannot be asked, or has errors itself, which are noted."""
        compiled: CompilationResult | None = None
        with self.problems.collecting():
            if self.is_whole:
                compiled = compile_project(self.project, environ=self.environ, progress=self.progress)
            elif self.known.assets and profiles_are_known(self.known.spec, self.documents.platform.spec):
                document = replace(self.documents.document, spec=self.known.spec)
                documents = replace(self.documents, document=document)
                dbt = effective_dbt(self.known.spec)
                compiled = compile_documents(documents, dbt, project=self.project, progress=self.progress)
        return compiled

    def load(self, compiled: CompilationResult) -> LoadedProject:
        artifacts = None if self.is_whole else compiled.artifacts
        loaded = load_definitions(self.project, artifacts=artifacts, progress=self.progress)
        self.problems.extend(loaded.warnings)
        return loaded

    def compare(self, loaded: LoadedProject) -> tuple[Problem, ...]:
        """What the project's Dagster instance holds and the definitions do not know."""
        self.progress("looking at the materialised partitions")
        with open_instance(self.project, loaded.platform.spec, environ=self.environ) as instance:
            return tuple(
                check_materialised_partitions(
                    loaded.definitions.resolve_all_asset_specs(),
                    index=loaded.index,
                    settings=loaded.settings,
                    partitions=loaded.document.spec.orchestration.partitions,
                    instance=instance,
                )
            )

    def import_modules(self) -> None:
        modules = self.known.spec.orchestration.asset_modules
        if not is_unset(modules):
            self.progress("importing the asset modules")
            known = [module for module in modules if not is_partly_unset(module)]
            load_assets(known, project=self.project, source=self.documents.document.source)


def _still_open(warnings: Iterable[Problem], errors: Iterable[Problem], *, is_loaded: bool) -> Iterator[Problem]:
    """The *warnings* but for those of jobs that modules may define: loading tells for certain."""
    certain = {(error.code, error.location) for error in errors}
    for warning in warnings:
        if warning.code != UNKNOWN_NAME or not (is_loaded or (warning.code, warning.location) in certain):
            yield warning
