"""The dbt command as assets and ops call it. Imports dagster-dbt and dbt: used only when a model runs."""

import hashlib
import importlib.metadata
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

import dagster as dg
from dagster._utils import pushd
from dagster._utils.warnings import disable_dagster_warnings
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource
from dagster_dbt.asset_utils import DAGSTER_DBT_MANIFEST_METADATA_KEY
from dagster_dbt.core.dbt_cli_event import DbtCliEventMessage
from dagster_dbt.dbt_manifest import DbtManifestParam
from dbt.adapters.base.impl import BaseAdapter
from dbt.config.utils import parse_cli_vars
from packaging.version import Version

from floe_core.schemas.secrets import SecretRef
from floe_dagster.dbt_deferred import DeferredDbt
from floe_dagster.dbt_files import prune, replace_file
from floe_dagster.secrets import read_secret

_Context = dg.OpExecutionContext | dg.AssetExecutionContext
_PARTIAL_PARSE = "partial_parse.msgpack"
_MOST_PARSES = 4
_environment_lock = RLock()


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
    ) -> "FloeDbtInvocation":
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
        all_vars = {**self.vars, **run_vars}
        of_dbt_assets = _builds_dbt_assets(context)
        if not of_dbt_assets:
            manifest = manifest or self._project_manifest()
            dagster_dbt_translator = dagster_dbt_translator or self._deferred.translator
        parses = Path(self.state_dir, "parses")
        parse = parses / f"{self._parse_signature(all_vars)}.msgpack"
        with self._environment(parse), disable_dagster_warnings():  # dagster-dbt 0.29 uses what Dagster deprecates
            started = super().cli(
                [*plain_args, *_vars_args(all_vars)],
                raise_on_error=raise_on_error,
                manifest=manifest,
                dagster_dbt_translator=dagster_dbt_translator,
                context=context if of_dbt_assets or _has_no_assets(context) else None,
                target_path=target_path,
            )
        prune(self._runs)
        return FloeDbtInvocation.of(started, keep_parse=parse)

    @property
    def _runs(self) -> Path:
        return Path(self.state_dir, "runs")

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

    def _parse_signature(self, all_vars: Mapping[str, Any]) -> str:
        """Of everything that dbt's own check compares before it takes a parsed project as it is."""
        profile = Path(self.profiles_dir or self.project_dir, "profiles.yml")
        parts = [self.parse_digest, self.target, self.profile, sorted(all_vars.items())]
        digest = hashlib.sha256(json.dumps(parts, default=str).encode())
        digest.update(profile.read_bytes() if profile.is_file() else b"")
        return digest.hexdigest()[:16]

    @contextmanager
    def _environment(self, parse: Path) -> Iterator[None]:
        """The environment that dbt is started in: dagster-dbt copies this process's."""
        parsed = parse if parse.is_file() else Path(self.partial_parse) if self.partial_parse else None
        self._runs.mkdir(parents=True, exist_ok=True)
        added = {
            "DBT_TARGET_PATH": str(self._runs),
            **({"DBT_PARTIAL_PARSE_FILE_PATH": str(parsed)} if parsed and parsed.is_file() else {}),
            **{variable: read_secret(SecretRef(secret_ref=name)) for variable, name in self.secrets.items()},
        }
        with _environment_lock:
            before = {name: os.environ.get(name) for name in added}  # noqa: TID251 - what a child process inherits
            os.environ.update(added)  # noqa: TID251
            try:
                yield
            finally:
                for name, value in before.items():
                    if value is None:
                        os.environ.pop(name, None)  # noqa: TID251
                    else:
                        os.environ[name] = value  # noqa: TID251

    @cached_property
    def _cli_version(self) -> Version:
        """The version of this environment's dbt, without starting it: `dbt --version` costs seconds and the network."""
        if Path(self.dbt_executable).parent == Path(sys.executable).parent:
            return Version(importlib.metadata.version("dbt-core"))
        return super()._cli_version

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        """The adapter in this process, built when something is fetched with it: it costs as much as starting dbt."""
        return _DeferredAdapter(lambda: self._build_adapter(args))

    def _build_adapter(self, args: Sequence[str]) -> BaseAdapter:
        with self._environment(Path(self.state_dir)), pushd(self.project_dir):
            return super()._initialize_dbt_core_adapter(args)


class _DeferredAdapter:
    """An adapter that is not built yet."""

    def __init__(self, build: Callable[[], BaseAdapter]) -> None:
        self.build = build


class FloeDbtInvocation(DbtCliInvocation):
    """A running dbt call whose adapter is built when it is first used."""

    keep_parse: Path | None = None
    """Where the parsed project goes, if dbt has to parse it."""
    _adapter: BaseAdapter | _DeferredAdapter | None = None

    @classmethod
    def of(cls, invocation: DbtCliInvocation, *, keep_parse: Path) -> "FloeDbtInvocation":
        """The same call; *invocation* itself is not to be used any more."""
        values = {item.name: getattr(invocation, item.name) for item in fields(invocation) if item.init}
        own = cls(**values)
        own.keep_parse = keep_parse
        return own

    @property
    def adapter(self) -> BaseAdapter | None:
        """dbt's adapter in this process, or None where it cannot be built."""
        if isinstance(self._adapter, _DeferredAdapter):
            try:
                self._adapter = self._adapter.build()
            except Exception:  # noqa: BLE001 - what is fetched with it is a bonus, as dagster-dbt has it
                self._adapter = None
                dg.get_dagster_logger().warning("dbt's adapter cannot be built in this process", exc_info=True)
        return self._adapter

    @adapter.setter
    def adapter(self, adapter: BaseAdapter | _DeferredAdapter | None) -> None:
        self._adapter = adapter

    def stream_raw_events(self) -> Iterator[DbtCliEventMessage]:
        """The events of dbt; at their end, a project that dbt had to parse is kept for the next call."""
        try:
            yield from super().stream_raw_events()
        finally:
            parsed = self.target_path / _PARTIAL_PARSE
            if self.keep_parse is not None and parsed.is_file():
                replace_file(self.keep_parse, lambda unfinished: shutil.copyfile(parsed, unfinished))
                prune(self.keep_parse.parent, keep=_MOST_PARSES, idle_seconds=0)
                parsed.unlink()


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


def _vars_args(all_vars: Mapping[str, Any]) -> list[str]:
    return ["--vars", json.dumps(all_vars, default=str)] if all_vars else []


def _builds_dbt_assets(context: _Context | None) -> bool:
    if context is None or _has_no_assets(context):
        return False
    specs = context.assets_def.specs
    return any(DAGSTER_DBT_MANIFEST_METADATA_KEY in spec.metadata for spec in list(specs)[:1])


def _has_no_assets(context: _Context | None) -> bool:
    return context is not None and not context.has_assets_def
