"""`dbt parse` as a process of its own, into floe's folder; errors are told in dbt's words."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from floe_core.errors import LoadError, Location, ManifestError, Problem, shown_path
from floe_core.partition_places import PARTITION_KEYS
from floe_core.schemas.secrets import SecretRef
from floe_dagster.dbt.connection import DbtProfile, find_dbt
from floe_dagster.dbt.files import DbtFolder, copy_file
from floe_dagster.dbt.project import DbtProjectFolder
from floe_dagster.dbt.run_vars import ProjectVars
from floe_dagster.secrets import read_secret

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_MOST_LINES = 40
_REQUIRED_VAR = re.compile(r"Required var '(\w+)' not found")
_NO_ADAPTER = re.compile(r"Could not find adapter type (\w+)!")
_NONE_TYPE = re.compile(r"NoneType|'None' has no attribute|None has no element")
_FILE_OF_ERROR = re.compile(r"\(([^()\s]+\.(?:sql|ya?ml))\)")
_VAR_WITHOUT_DEFAULT = re.compile(r"""\bvar\(\s*['"](\w+)['"]\s*\)""")
_UNSET_SECRET = "not-set"  # noqa: S105 - says that there is none; parsing connects to nothing


@dataclass(frozen=True)
class DbtParse:
    """A dbt project, and all that decides how dbt parses it."""

    project: DbtProjectFolder
    profile: DbtProfile
    vars: Mapping[str, object]
    """`orchestration.dbt.vars`. Those that each run fills in have no value here."""
    location: Location | None = None
    """Where floe.yaml names the project, for the errors."""

    @property
    def command(self) -> str:
        """What the user would type."""
        folders = {"project": self.project.path, "profiles": self.profile.profiles_dir}
        given = [f"--{name}-dir {shown_path(path)}" for name, path in folders.items()]
        return " ".join(["dbt parse", *given, *self.profile.args])

    def run(self, folder: DbtFolder) -> tuple[str, ...]:
        """Parse; the manifest and the parsed project are in *folder* afterwards. Gives dbt's warnings.

        What dbt parsed last time stays there, so that it parses only what changed. Nothing is written into the project.

        Raises:
            ManifestError: dbt finds an error in the project, or its packages are not installed.
        """
        self._check_packages()
        working = folder.compiled / "parse"
        working.mkdir(parents=True, exist_ok=True)
        output = subprocess.run(
            self._command_line(),
            cwd=self.project.path,
            env=self._environment(working),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        told = _messages(output.stdout.decode("utf-8", errors="replace"))
        if output.returncode or not (working / "manifest.json").is_file():
            raise ManifestError(self._refused_by_dbt(told))
        for kept in (folder.manifest, folder.partial_parse):
            copy_file(working / kept.name, kept)
        return tuple(told.get("warn", ()))

    def _command_line(self) -> list[str]:
        fixed = ProjectVars.of(self.vars).fixed
        return [
            find_dbt(),
            "parse",
            "--log-format=json",
            "--log-level=warn",
            "--log-level-file=debug",
            "--no-use-colors",
            f"--project-dir={self.project.path}",
            f"--profiles-dir={self.profile.profiles_dir}",
            *self.profile.args,
            *(["--vars", json.dumps(fixed, default=str)] if fixed else []),
        ]

    def _environment(self, working: Path) -> dict[str, str]:
        secrets = {variable: _secret_or_placeholder(name) for variable, name in self.profile.secrets.items()}
        return {
            **os.environ,  # noqa: TID251 - dbt's own variables, and those that the project reads
            **secrets,
            "DBT_TARGET_PATH": str(working),
            "DBT_LOG_PATH": str(working),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }

    def _check_packages(self) -> None:
        if self.project.asks_for_packages and not self.project.packages_folder.is_dir():
            raise ManifestError(
                Problem(
                    code="FLOE-328",
                    what=f"the packages of the dbt project {self.project.name} are not installed",
                    location=self.location,
                    why=f"packages.yml lists some, and there is no {shown_path(self.project.packages_folder)}",
                    fix=f"run `dbt deps --project-dir {shown_path(self.project.path)}`",
                )
            )

    def _refused_by_dbt(self, told: Mapping[str, list[str]]) -> Problem:
        lines = "\n".join(told.get("error") or told.get("") or []).strip().splitlines()
        why, fix = "", f"correct what dbt says; `{self.command}` says the same"
        lacking = self._find_lacking_var("\n".join(lines))
        if lacking:
            default = "[]" if lacking.startswith(PARTITION_KEYS) else "''"
            why = f"while dbt parses, no run has a partition, and var('{lacking}') has no value"
            fix = f"give the var a default: var('{lacking}', {default})"
        location = self.location
        adapter = next(iter(_NO_ADAPTER.findall("\n".join(lines))), "")
        if adapter:
            location = self.profile.place or location
            why = f"the connection is of type '{adapter}', and dbt-{adapter} is not installed"
            fix = f"pip install dbt-{adapter}"
        return Problem(
            code="FLOE-327",
            what=f"dbt cannot parse the project {self.project.name}",
            location=location,
            detail="\n".join(lines[-_MOST_LINES:]),
            why=why,
            fix=fix,
        )

    def _find_lacking_var(self, said: str) -> str:
        """The var of a partition for want of which parsing has failed, as far as can be told; empty if none."""
        names = _REQUIRED_VAR.findall(said)
        if _NONE_TYPE.search(said):
            for file in map(self.project.path.joinpath, _FILE_OF_ERROR.findall(said)):
                code = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
                names += _VAR_WITHOUT_DEFAULT.findall(code)
        return next(filter(ProjectVars.of(self.vars).is_of_runs, names), "")


def _messages(output: str) -> dict[str, list[str]]:
    """Level → dbt's messages; what is not a log line of dbt's is under the level ""."""
    told: dict[str, list[str]] = {}
    for line in output.splitlines():
        try:
            info = json.loads(line)["info"]
            level, message = str(info["level"]), str(info["msg"])
        except (ValueError, KeyError, TypeError):
            level, message = "", line
        told.setdefault(level, []).append(_COLOURS.sub("", message).rstrip())
    return told


def _secret_or_placeholder(name: str) -> str:
    try:
        return read_secret(SecretRef(secret_ref=name))
    except LoadError:
        return _UNSET_SECRET
