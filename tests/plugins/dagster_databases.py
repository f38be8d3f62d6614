"""What makes Dagster's SQLite databases quickly, without making them different.

Dagster asks Alembic for the revision of each database that it opens, and keeps the events of every run in one of its
own. In tests that make many instances and runs, that is most of the time.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy.engine import Engine


@pytest.fixture(autouse=True, scope="session")
def _databases_are_made_quickly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(ScriptDirectory, "from_config", _read_once(ScriptDirectory.from_config))
    patch.setattr(SqliteEventLogStorage, "_initdb", _copied(tmp_path_factory.mktemp("run_database") / "template.db"))
    yield
    patch.undo()


def _read_once(read: Callable[[Config], ScriptDirectory]) -> Callable[[Config], ScriptDirectory]:
    """Alembic's revisions, which are files that do not change."""
    found: dict[str, ScriptDirectory] = {}

    def read_once(config: Config) -> ScriptDirectory:
        place = str(config.get_main_option("script_location"))
        if place not in found:
            found[place] = read(config)
        return found[place]

    return read_once


def _copied(template: Path) -> Callable[..., None]:
    """The database of a run's events: a copy of the first that Dagster makes in this process."""
    make = SqliteEventLogStorage._initdb

    def copy_or_make(self: SqliteEventLogStorage, engine: Engine, for_index_shard: bool = False) -> None:
        database = Path(engine.url.database or "")
        if for_index_shard or database.exists() or database.stem == "index":
            make(self, engine, for_index_shard)
            return
        if not template.exists():
            make(self, engine)
            template.write_bytes(database.read_bytes())
            return
        copy = database.with_suffix(f".{os.getpid()}")
        copy.write_bytes(template.read_bytes())
        with suppress(FileExistsError):  # another process was quicker
            os.link(copy, database)
        copy.unlink()

    return copy_or_make
