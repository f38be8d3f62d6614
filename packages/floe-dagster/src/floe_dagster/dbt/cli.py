"""The dbt command as assets and ops call it. Imports dagster-dbt and dbt: used only when a model runs."""

import atexit
import gc
import importlib.metadata
import json
import os
import signal
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._utils import pushd
from dagster._utils.interrupts import capture_interrupts, pop_captured_interrupt
from dagster._utils.warnings import disable_dagster_warnings
from dagster_dbt import DagsterDbtTranslator, DbtCliResource
from dagster_dbt.dbt_manifest import DbtManifestParam
from dbt.adapters.base.impl import BaseAdapter
from dbt.config.utils import parse_cli_vars
from packaging.version import Version

from floe_core.partition_places import PARTITION_KEYS
from floe_core.schemas.secrets import SecretRef
from floe_dagster.dbt.call_selection import LONGEST_ARGUMENT, CallSelection, Context, DbtStep
from floe_dagster.dbt.connection import PROFILES_FILE, added_environment
from floe_dagster.dbt.deferred import DeferredDbt
from floe_dagster.dbt.files import prune
from floe_dagster.dbt.invocation import DeferredAdapter, FloeDbtInvocation
from floe_dagster.dbt.microbatch import event_time_args
from floe_dagster.dbt.observed_step import LOG_FILE, LOG_VARIABLES, ObservedStep, ObservedSteps
from floe_dagster.dbt.overlay import overlay_project
from floe_dagster.dbt.parsed_macros import parsed_macros
from floe_dagster.dbt.parsed_project import ParsedProject
from floe_dagster.dbt.run_vars import ProjectVars
from floe_dagster.lakehouse.parent_process import PARENT_VARIABLE
from floe_dagster.secrets import read_secret
from floe_dagster.user_code.run_partitions import RunPartitions, read_run_partitions

_FUSION = 2  # major version of another dbt, whose log is another

atexit.register(gc.freeze)  # Python ends with a search for garbage; among all of dbt's objects it takes seconds


class FloeDbtCliResource(DbtCliResource):
    """dagster-dbt's resource with what floe knows: vars, secrets, the manifest, and where dbt may write.

    dbt finds the project parsed already: by `floe compile`, or by an earlier call with the same profile and vars.
    """

    manifest_path: str
    state_dir: str
    partial_parse: str | None
    parse_digest: str
    vars: dict[str, Any]
    secrets: dict[str, str]
    source_keys: dict[str, list[str]]

    def cli(
        self,
        args: Sequence[str],
        *,
        raise_on_error: bool = True,
        manifest: DbtManifestParam | None = None,
        dagster_dbt_translator: DagsterDbtTranslator | None = None,
        context: Context | None = None,
        target_path: Path | None = None,
    ) -> FloeDbtInvocation:
        """Start dbt. Everything is as in dagster-dbt, but for what is said here.

        Args:
            args: Its `--vars` are added to the project's and to those of the run's partition, and win over them.
            raise_on_error: See dagster-dbt.
            manifest: The project's by default.
            dagster_dbt_translator: That of the project's assets by default.
            context: That of any asset or op; where it is of dbt's own assets, it decides what is selected.
            target_path: A folder of this call's own below `.floe` by default.
        """
        plain_args, given_vars = _split_vars(args)
        partitions = read_run_partitions(context, _partitions_of(context)) if context is not None else None
        call_vars = self._call_vars(partitions, given_vars, context)
        window = partitions.window if partitions is not None else None
        observed = self._observed_steps.find(context) if self._cli_version.major < _FUSION else None
        options: dict[str, Any] = {
            "raise_on_error": raise_on_error,
            "target_path": target_path,
            "observed": observed,
            "window": window,
            "log_size": _size_of_log(Path(self.project_dir), target_path),
        }
        step = DbtStep.of(context, manifest=manifest, translator=dagster_dbt_translator)
        if context is None or step is None:
            return self._start(
                plain_args,
                call_vars,
                manifest=manifest or self._project_manifest(),
                dagster_dbt_translator=dagster_dbt_translator or self._deferred.translator,
                context=context if _has_no_assets(context) else None,
                **options,
            )
        flags = event_time_args(window, args=plain_args, manifest=step.manifest, unique_ids=step.unique_ids)
        selection = step.find_selection(plain_args)
        if selection is None:
            return self._start([*plain_args, *flags], call_vars, context=context, **options)
        project, selected = self._with_selection(selection)
        name = f"{context.op_execution_context.op.name}-{context.run.run_id[:7]}-{uuid.uuid4().hex[:7]}"
        options["target_path"] = target_path or self._runs / name
        invocation = self._start(
            [*selected, *flags],
            call_vars,
            project=project,
            indirect_selection=selection.indirect,
            manifest=selection.manifest,
            dagster_dbt_translator=selection.translator,
            **options,
        )
        invocation.context = context
        return invocation

    def _start(
        self,
        args: Sequence[str],
        call_vars: Mapping[str, object],
        *,
        project: "FloeDbtCliResource | None" = None,
        indirect_selection: str | None = None,
        observed: ObservedStep | None = None,
        window: dg.TimeWindow | None = None,
        log_size: int | None = None,
        **options: Any,
    ) -> FloeDbtInvocation:
        """Start dbt with exactly these *args*, in *project* where it is not called in the project itself.

        Args:
            args: All but those that dagster-dbt adds.
            call_vars: Added to them.
            project: Where it is called.
            indirect_selection: Which tests dbt adds to what is selected.
            observed: The step, where its calls are observed.
            window: What the run computes, where that is a window of time.
            log_size: Bytes that are in dbt's log already; None where dbt writes to a folder of its own.
            options: Those of `DbtCliResource.cli`.
        """
        project = project or self
        all_args = [*args, *(["--vars", json.dumps(call_vars)] if call_vars else [])]
        with self._environment(), disable_dagster_warnings():  # dagster-dbt 0.29 uses what Dagster deprecates
            state = self._parsed.prepare(ProjectVars.of(self.vars), call_vars, call_dir=Path(project.project_dir))
            variables = {
                **({"DBT_PARTIAL_PARSE_FILE_PATH": str(state.state)} if state.state is not None else {}),
                **({"DBT_INDIRECT_SELECTION": indirect_selection} if indirect_selection else {}),
                **(LOG_VARIABLES if observed is not None else {}),
            }
            with added_environment(variables), _uninterrupted():
                started = DbtCliResource.cli(project, all_args, **options)
                parsed = state.state if state.of_this_call else None
                invocation = FloeDbtInvocation.of(started, keep=state.keep, state=parsed)
                self._invocations.append(invocation)
        if observed is not None:
            invocation.observe(observed.open_tap(invocation, args=args, log_size=log_size, window=window))
        prune(self._runs)
        return invocation

    def _call_vars(
        self, partitions: RunPartitions | None, given: Mapping[str, object], context: Context | None
    ) -> Mapping[str, object]:
        """All vars of a call, as JSON values."""
        own = ProjectVars.of(self.vars)
        found = {**own.fixed, **own.of_run(partitions), **given}
        call_vars: dict[str, object] = json.loads(json.dumps(found, default=str))
        if len(json.dumps(call_vars)) <= LONGEST_ARGUMENT:
            return call_vars
        lists = [name for name in call_vars if name.startswith(PARTITION_KEYS)]
        if context is not None and lists:
            context.log.warning("dbt is not given %s: so many keys do not fit its command line", ", ".join(lists))
        return {name: value for name, value in call_vars.items() if name not in lists}

    def end_all(self) -> None:
        """End what was started here and is still running."""
        for invocation in self._invocations:
            invocation.end()

    def _with_selection(self, selection: CallSelection) -> "tuple[FloeDbtCliResource, list[str]]":
        """The project to call dbt in, and the arguments; a long selection stands in a file.

        The system limits how long an argument may be.
        """
        if not selection.is_long:
            return self, [*selection.args, *selection.selection_args]
        folder = self._runs / f"project-{uuid.uuid4().hex[:8]}"
        selector = overlay_project(Path(self.project_dir), folder, select=selection.select, exclude=selection.exclude)
        fields_here = {name: getattr(self, name) for name in type(self).model_fields}
        overlay = type(self)(**{**fields_here, "project_dir": str(folder)})
        return overlay, [*selection.args, "--selector", selector]

    @cached_property
    def _invocations(self) -> list[FloeDbtInvocation]:
        return []

    @cached_property
    def _observed_steps(self) -> ObservedSteps:
        return ObservedSteps()

    @property
    def _runs(self) -> Path:
        return Path(self.state_dir, "runs")

    @property
    def _parsed(self) -> ParsedProject:
        return ParsedProject(
            project_dir=Path(self.project_dir),
            profiles_file=Path(self.profiles_dir or self.project_dir, PROFILES_FILE),
            profile=self.profile,
            target=self.target,
            digest=self.parse_digest,
            compiled=Path(self.partial_parse) if self.partial_parse else None,
            parses=Path(self.state_dir, "parses"),
            scratch=self._runs,
        )

    @cached_property
    def _deferred(self) -> DeferredDbt:
        return DeferredDbt(
            manifest_path=Path(self.manifest_path),
            project_dir=Path(self.project_dir),
            target=self.target,
            source_keys={unique_id: dg.AssetKey(key) for unique_id, key in self.source_keys.items()},
        )

    def _project_manifest(self) -> DbtManifestParam | None:
        return dict(self._deferred.manifest) if Path(self.manifest_path).is_file() else None

    def _environment(self) -> AbstractContextManager[None]:
        """The environment that dbt is started in: dagster-dbt copies this process's."""
        self._runs.mkdir(parents=True, exist_ok=True)
        secrets = {variable: read_secret(SecretRef(secret_ref=name)) for variable, name in self.secrets.items()}
        own = {"DBT_TARGET_PATH": str(self._runs), PARENT_VARIABLE: str(os.getpid())}
        return added_environment({**own, **secrets})

    @cached_property
    def _cli_version(self) -> Version:
        """The version of this environment's dbt, without starting it: `dbt --version` costs seconds and the network."""
        if Path(self.dbt_executable).parent == Path(sys.executable).parent:
            return Version(importlib.metadata.version("dbt-core"))
        return super()._cli_version

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        """The adapter in this process, built when something is fetched with it: it costs as much as starting dbt."""
        return DeferredAdapter(lambda: self._build_adapter(args))

    def _build_adapter(self, args: Sequence[str]) -> BaseAdapter:
        with self._environment(), pushd(self.project_dir), parsed_macros(self._deferred.manifest):
            return super()._initialize_dbt_core_adapter(args)


def _split_vars(args: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """*args* without `--vars`, and what those say."""
    plain: list[str] = []
    found: dict[str, Any] = {}
    remaining = iter(args)
    for arg in remaining:
        if arg == "--vars":
            found |= parse_cli_vars(next(remaining, "{}"))
        elif arg.startswith("--vars="):
            found |= parse_cli_vars(arg.removeprefix("--vars="))
        else:
            plain.append(arg)
    return plain, found


def _size_of_log(project_dir: Path, target_path: Path | None) -> int | None:
    """Bytes that an earlier call has left in the log at *target_path*, to which dbt adds."""
    if target_path is None:
        return None
    log = project_dir / target_path / LOG_FILE
    return log.stat().st_size if log.is_file() else 0


def _partitions_of(context: Context) -> dg.PartitionsDefinition | None:
    if not context.has_assets_def:
        return None
    if not context.assets_def.keys:  # a step of checks alone
        return context.job_def.partitions_def
    found = (context.assets_def.get_asset_spec(key).partitions_def for key in context.assets_def.keys)
    return next((partitions_def for partitions_def in found if partitions_def is not None), None)


def _has_no_assets(context: Context | None) -> bool:
    return context is not None and not context.has_assets_def


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Interrupts after the block instead of within: a process that was forked, and not yet noted, nobody could end."""
    with capture_interrupts():
        yield
        was_interrupted = pop_captured_interrupt()
    if was_interrupted:
        signal.raise_signal(signal.SIGINT)
