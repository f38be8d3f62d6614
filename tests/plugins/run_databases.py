"""The database of each run's events, copied from the first that Dagster made in this process.

Dagster keeps the events of every run in a SQLite file of its own. Making one takes Alembic a hundred times longer than
copying it, and most tests of sensors and schedules make many.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy.engine import Engine


@pytest.fixture(autouse=True, scope="session")
def _run_databases_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    template = tmp_path_factory.mktemp("run_database") / "template.db"
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

    patch = pytest.MonkeyPatch()
    patch.setattr(SqliteEventLogStorage, "_initdb", copy_or_make)
    yield
    patch.undo()
