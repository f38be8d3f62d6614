"""How dbt is called: its executable, its profile, its environment."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

from floe_core.errors import CompileError, LoadError, Location, Problem, shown_path
from floe_dagster.dbt.index import RelationNames

PROFILES_FILE = "profiles.yml"

_environment_lock = RLock()


@dataclass(frozen=True)
class DbtProfile:
    """The connection of every dbt call: the user's own profiles.yml, or one that floe generates."""

    profiles_dir: Path
    target: str | None = None
    profile: str | None = None
    """Passed to dbt as `--profile`; None where dbt_project.yml names it."""
    names: RelationNames | None = None
    """What a generated profile decides about names; None for the user's own."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Environment variable that the profile reads → name of the secret."""
    place: Location | None = None
    """Where platform.yaml has what a generated profile is made of."""

    @property
    def file(self) -> Path:
        """The profiles.yml."""
        return self.profiles_dir / PROFILES_FILE

    @property
    def args(self) -> list[str]:
        """The connection as arguments of dbt."""
        return [
            *(["--profile", self.profile] if self.profile else []),
            *(["--target", self.target] if self.target else []),
        ]

    def check(self, location: Location | None = None) -> None:
        """See that there is a profiles.yml.

        Raises:
            CompileError: There is none.
        """
        if not self.file.is_file():
            raise CompileError(
                Problem(
                    code="FLOE-324",
                    what=f"there is no {PROFILES_FILE} in {shown_path(self.profiles_dir)}",
                    location=location,
                    why="with profiles_dir dbt uses your own profile, and none is generated",
                    fix="name the folder that holds it, or leave profiles_dir out",
                )
            )


def find_dbt() -> str:
    """The dbt of this Python environment, activated or not, else the one on the path.

    Raises:
        LoadError: There is none.
    """
    beside_python = Path(sys.executable).with_name("dbt")
    found = str(beside_python) if beside_python.is_file() else shutil.which("dbt")
    if found is None:
        raise LoadError(
            Problem(
                code="FLOE-325",
                what="dbt is not installed",
                why=f"there is no command 'dbt' beside {sys.executable} nor on the path",
                fix="install dbt-core and the adapter of your database, such as dbt-duckdb, into this environment",
            )
        )
    return found


@contextmanager
def added_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """This process's environment with *variables*, for a child that is started in the block."""
    with _environment_lock:
        before = {name: os.environ.get(name) for name in variables}  # noqa: TID251 - a child process inherits it
        os.environ.update(variables)  # noqa: TID251 - see above
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)  # noqa: TID251 - see above
                else:
                    os.environ[name] = value  # noqa: TID251 - see above
