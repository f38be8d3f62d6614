"""The parsed project that a dbt call starts from, so that dbt does not parse anew. Imports dbt."""

import hashlib
import json
import os
import uuid
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dbt.adapters.contracts.connection import Credentials
from dbt.config.runtime import load_profile
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context
from dbt_common.exceptions import DbtBaseException

from floe_dagster.dbt.files import prune
from floe_dagster.dbt.parse_vars import ParseVars
from floe_dagster.dbt.parsed_state import Circumstances, adopt_parsed_state, profile_hash, vars_hash
from floe_dagster.dbt.run_vars import ProjectVars


@dataclass(frozen=True)
class CallState:
    """What one dbt call starts from, and where what it parses is kept."""

    state: Path | None
    keep: Path | None
    """None where another call could not start from it."""
    of_this_call: bool = False
    """Whether the state is there for this call alone."""


@dataclass(frozen=True)
class ParsedProject:
    """A project that was parsed by `floe compile`, and the parses that calls with other settings have left."""

    project_dir: Path
    profiles_file: Path
    profile: str | None
    target: str | None
    digest: str
    """Of what was compiled."""
    compiled: Path | None
    """What `floe compile` left."""
    parses: Path
    """Folder for what calls leave."""
    scratch: Path
    """Folder for what one call needs."""

    def prepare(self, project_vars: ProjectVars, call_vars: Mapping[str, object], *, call_dir: Path) -> CallState:
        """Find or make the state for a call.

        Args:
            project_vars: Tells which vars only a run is about. For their values nothing is kept: each run has others.
            call_vars: All vars of the call.
            call_dir: The project as the call has it, which may be a folder of links to it.
        """
        fixed_vars = {name: value for name, value in call_vars.items() if not project_vars.is_of_runs(name)}
        of_a_run = len(fixed_vars) < len(call_vars)
        elsewhere = call_dir.resolve() != self.project_dir.resolve()
        signature = self._signature(fixed_vars)
        kept, kept_of_runs = (self.parses / f"{signature}{suffix}.msgpack" for suffix in ("", "-runs"))
        if not of_a_run and not elsewhere:
            return CallState(self._find(kept, fixed_vars), kept)
        base = kept_of_runs if of_a_run and kept_of_runs.is_file() else self._find(kept, fixed_vars)
        again = self._files_to_parse_again(project_vars, call_vars) if of_a_run else frozenset()
        if base is None or again is None:
            return CallState(base, None)
        state = self.scratch / f"parse-{uuid.uuid4().hex[:12]}.msgpack"
        hashes = {"vars_hash": vars_hash(call_vars, profile=self.profile, target=self.target)}
        adopt_parsed_state(base, state, hashes=hashes, project_dir=call_dir, changed=again)
        return CallState(state, kept_of_runs if of_a_run and not elsewhere else None, of_this_call=True)

    def _files_to_parse_again(
        self, project_vars: ProjectVars, call_vars: Mapping[str, object]
    ) -> frozenset[str] | None:
        """Checksums of the files that depend on vars of runs, with a value or without; None where all files do."""
        noted = ParseVars.load(self.compiled) if self.compiled is not None else None
        if noted is None:
            return None
        return noted.files_of(filter(project_vars.is_of_runs, {*noted.names, *call_vars}))

    def _signature(self, fixed_vars: Mapping[str, object]) -> str:
        """Of everything that dbt's own check compares before it takes a parsed project as it is."""
        parts = [self.digest, str(self.project_dir), self.target, self.profile, sorted(fixed_vars.items())]
        digest = hashlib.sha256(json.dumps(parts).encode())
        digest.update(self.profiles_file.read_bytes() if self.profiles_file.is_file() else b"")
        return digest.hexdigest()[:16]

    def _find(self, kept: Path, fixed_vars: Mapping[str, object]) -> Path | None:
        """The state for vars that belong to the project; *kept* is that of an earlier call with the same settings."""
        if kept.is_file():
            return kept
        if self.compiled is None or not self.compiled.is_file():
            return None
        then = Circumstances.load(self.compiled)
        if then is None:
            return self.compiled
        now = Circumstances.of(
            project_dir=self.project_dir, profiles_file=self.profiles_file, names=None, cli_vars=fixed_vars
        )
        if replace(now, names=then.names) == then:
            return self.compiled
        credentials = self._load_credentials(fixed_vars)
        if credentials is None or not then.differ_only_in_place(replace(now, names=_names_of(credentials))):
            return self.compiled
        hashes = {
            "vars_hash": vars_hash(fixed_vars, profile=self.profile, target=self.target),
            "profile_hash": profile_hash(dict(credentials.connection_info())),
        }
        adopt_parsed_state(self.compiled, kept, hashes=hashes, project_dir=self.project_dir)
        prune(self.parses)
        return kept

    def _load_credentials(self, fixed_vars: Mapping[str, object]) -> Credentials | None:
        """The connection as dbt reads it; None where dbt cannot, which it says itself when it runs."""
        set_invocation_context(dict(os.environ))  # noqa: TID251 - what profiles.yml reads
        set_from_args(Namespace(profiles_dir=str(self.profiles_file.parent)), None)
        with suppress(DbtBaseException):
            return load_profile(str(self.project_dir), dict(fixed_vars), self.profile, self.target).credentials
        return None


def _names_of(credentials: Credentials) -> tuple[str, ...]:
    return (credentials.database, credentials.schema, credentials.type)
