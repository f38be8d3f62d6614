"""The dbt command as assets and ops call it. Imports dagster-dbt and dbt: used only when a model runs."""

import hashlib
import importlib.metadata
import json
import os
import sys
import uuid
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._utils import pushd
from dagster._utils.warnings import disable_dagster_warnings
from dagster_dbt import DagsterDbtTranslator, DbtCliResource
from dagster_dbt.asset_utils import (
    DAGSTER_DBT_MANIFEST_METADATA_KEY,
    DAGSTER_DBT_SELECT_METADATA_KEY,
    extract_runtime_selection_from_args,
    get_updated_cli_invocation_params_for_context,
)
from dagster_dbt.dbt_manifest import DbtManifestParam
from dbt.adapters.base.impl import BaseAdapter
from dbt.adapters.contracts.connection import Credentials
from dbt.config.runtime import load_profile
from dbt.config.utils import parse_cli_vars
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context
from dbt_common.exceptions import DbtBaseException
from packaging.version import Version

from floe_core.schemas.secrets import SecretRef
from floe_dagster.dbt.connection import PROFILES_FILE, added_environment
from floe_dagster.dbt.deferred import DeferredDbt
from floe_dagster.dbt.files import prune
from floe_dagster.dbt.invocation import DeferredAdapter, FloeDbtInvocation
from floe_dagster.dbt.overlay import overlay_project
from floe_dagster.dbt.parsed_state import (
    Circumstances,
    adopt_parsed_state,
    profile_hash,
    vars_hash,
)
from floe_dagster.lakehouse.parent_process import PARENT_VARIABLE
from floe_dagster.secrets import read_secret

_MANY = 500
_LONGEST_ARGUMENT = 100_000  # characters; Linux takes 131,071 bytes
_Context = dg.OpExecutionContext | dg.AssetExecutionContext


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
        context: _Context | None = None,
        target_path: Path | None = None,
    ) -> FloeDbtInvocation:
        """Start dbt. Everything is as in dagster-dbt, but for what is said here.

        Args:
            args: Its `--vars` are added to the project's and win over them.
            raise_on_error: See dagster-dbt.
            manifest: The project's by default.
            dagster_dbt_translator: That of the project's assets by default.
            context: That of any asset or op; where it is of dbt's own assets, it decides what is selected.
            target_path: A folder of this call's own below `.floe` by default.
        """
        plain_args, run_vars = _split_vars(args)
        all_vars = json.loads(json.dumps({**self.vars, **run_vars}, default=str))
        of_dbt_assets = _builds_dbt_assets(context)
        selection = _find_long_selection(context, plain_args) if of_dbt_assets else None
        if selection is not None:
            return self._call_with_selector(selection, run_vars, context, raise_on_error, target_path)
        if not of_dbt_assets:
            manifest = manifest or self._project_manifest()
            dagster_dbt_translator = dagster_dbt_translator or self._deferred.translator
        keep = self._parses / f"{self._parse_signature(all_vars)}.msgpack"
        with self._environment(), disable_dagster_warnings():  # dagster-dbt 0.29 uses what Dagster deprecates
            parsed = self._find_parsed_state(keep, all_vars)
            with added_environment({"DBT_PARTIAL_PARSE_FILE_PATH": str(parsed)} if parsed is not None else {}):
                started = super().cli(
                    [*plain_args, *(["--vars", json.dumps(all_vars)] if all_vars else [])],
                    raise_on_error=raise_on_error,
                    manifest=manifest,
                    dagster_dbt_translator=dagster_dbt_translator,
                    context=context if of_dbt_assets or _has_no_assets(context) else None,
                    target_path=target_path,
                )
        invocation = FloeDbtInvocation.of(started, keep=keep)
        self._invocations.append(invocation)
        prune(self._runs)
        return invocation

    def end_all(self) -> None:
        """End what was started here and is still running."""
        for invocation in self._invocations:
            invocation.end()

    def _call_with_selector(
        self,
        selection: "_LongSelection",
        run_vars: Mapping[str, Any],
        context: _Context | None,
        raise_on_error: bool,
        target_path: Path | None,
    ) -> FloeDbtInvocation:
        """The call with the selection in a file: the system limits how long an argument may be."""
        folder = self._runs / f"project-{uuid.uuid4().hex[:8]}"
        selector = overlay_project(Path(self.project_dir), folder, select=selection.select, exclude=selection.exclude)
        fields_here = {name: getattr(self, name) for name in type(self).model_fields}
        overlay = type(self)(**{**fields_here, "project_dir": str(folder)})
        invocation = overlay.cli(
            [*selection.args, "--selector", selector, *selection.flags, "--vars", json.dumps(run_vars, default=str)],
            raise_on_error=raise_on_error,
            manifest=selection.manifest,
            dagster_dbt_translator=selection.translator,
            target_path=target_path,
        )
        invocation.context = context
        self._invocations.append(invocation)
        return invocation

    @cached_property
    def _invocations(self) -> list[FloeDbtInvocation]:
        return []

    @property
    def _runs(self) -> Path:
        return Path(self.state_dir, "runs")

    @property
    def _parses(self) -> Path:
        return Path(self.state_dir, "parses")

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

    def _environment(self) -> Any:
        """The environment that dbt is started in: dagster-dbt copies this process's."""
        self._runs.mkdir(parents=True, exist_ok=True)
        secrets = {variable: read_secret(SecretRef(secret_ref=name)) for variable, name in self.secrets.items()}
        return added_environment({"DBT_TARGET_PATH": str(self._runs), PARENT_VARIABLE: str(os.getpid()), **secrets})

    @property
    def _profiles_file(self) -> Path:
        return Path(self.profiles_dir or self.project_dir, PROFILES_FILE)

    def _parse_signature(self, all_vars: Mapping[str, Any]) -> str:
        """Of everything that dbt's own check compares before it takes a parsed project as it is."""
        parts = [self.parse_digest, self.project_dir, self.target, self.profile, sorted(all_vars.items())]
        digest = hashlib.sha256(json.dumps(parts).encode())
        digest.update(self._profiles_file.read_bytes() if self._profiles_file.is_file() else b"")
        return digest.hexdigest()[:16]

    def _find_parsed_state(self, kept: Path, all_vars: Mapping[str, Any]) -> Path | None:
        """The parsed project that dbt is to start from; *kept* is that of an earlier call with the same settings."""
        if kept.is_file():
            return kept
        compiled = Path(self.partial_parse) if self.partial_parse else None
        if compiled is None or not compiled.is_file():
            return None
        then = Circumstances.load(compiled)
        if then is None:
            return compiled
        now = Circumstances.of(
            project_dir=Path(self.project_dir), profiles_file=self._profiles_file, names=None, cli_vars=all_vars
        )
        if replace(now, names=then.names) == then:
            return compiled
        credentials = self._load_credentials(all_vars)
        if credentials is None or not then.differ_only_for_the_run(replace(now, names=_names_of(credentials))):
            return compiled
        hashes = {
            "vars_hash": vars_hash(all_vars, profile=self.profile, target=self.target),
            "profile_hash": profile_hash(dict(credentials.connection_info())),
        }
        adopt_parsed_state(compiled, kept, hashes=hashes, project_dir=Path(self.project_dir))
        prune(self._parses)
        return kept

    def _load_credentials(self, all_vars: Mapping[str, Any]) -> Credentials | None:
        """The connection as dbt reads it; None where dbt cannot, which it says itself when it runs."""
        set_invocation_context(dict(os.environ))  # noqa: TID251 - what profiles.yml reads
        set_from_args(Namespace(profiles_dir=str(self._profiles_file.parent)), None)
        with suppress(DbtBaseException):
            return load_profile(self.project_dir, dict(all_vars), self.profile, self.target).credentials
        return None

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
        with self._environment(), pushd(self.project_dir):
            return super()._initialize_dbt_core_adapter(args)


@dataclass(frozen=True)
class _LongSelection:
    """What Dagster selected of the project, where that is too long for a command line."""

    args: Sequence[str]
    """The other arguments."""
    select: Sequence[str]
    exclude: Sequence[str]
    flags: Sequence[str]
    manifest: Mapping[str, Any]
    translator: DagsterDbtTranslator


def _may_be_long(context: _Context) -> bool:
    named = len(context.selected_asset_keys) + len(context.selected_asset_check_keys)
    return named > _MANY or len(context.op.tags.get(DAGSTER_DBT_SELECT_METADATA_KEY) or "") > _LONGEST_ARGUMENT


def _find_long_selection(context: _Context | None, args: Sequence[str]) -> _LongSelection | None:
    plain, selects, excludes = extract_runtime_selection_from_args(args)
    with disable_dagster_warnings():
        if context is None or not _may_be_long(context):
            return None
        found = get_updated_cli_invocation_params_for_context(context, {}, DagsterDbtTranslator())
    chosen = dict(zip(found.selection_args[::2], found.selection_args[1::2], strict=True))
    if len(chosen.get("--select", "")) <= _LONGEST_ARGUMENT:
        return None
    indirect = found.indirect_selection
    return _LongSelection(
        args=plain,
        select=[*chosen["--select"].split(" "), *selects],
        exclude=[*chosen.get("--exclude", "").split(), *excludes],
        flags=["--indirect-selection", indirect] if indirect else [],
        manifest=found.manifest,
        translator=found.dagster_dbt_translator,
    )


def _names_of(credentials: Credentials) -> tuple[str, ...]:
    return (credentials.database, credentials.schema, credentials.type)


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


def _builds_dbt_assets(context: _Context | None) -> bool:
    if context is None or _has_no_assets(context):
        return False
    first = next(iter(context.assets_def.specs), None)
    return first is not None and DAGSTER_DBT_MANIFEST_METADATA_KEY in first.metadata


def _has_no_assets(context: _Context | None) -> bool:
    return context is not None and not context.has_assets_def
