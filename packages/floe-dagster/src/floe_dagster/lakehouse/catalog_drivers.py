"""The libraries that a SQL catalog is reached by, which are installed only where they are used."""

from collections.abc import Iterator

from floe_core.errors import Location, Problem

_DISTRIBUTIONS = {"psycopg2": "psycopg2-binary", "psycopg": "'psycopg[binary]'", "pg8000": "pg8000"}


def check_driver(uri: str, *, location: Location | None) -> Iterator[Problem]:
    """The problem of a SQL catalog at *uri* whose driver cannot be imported; SQLite's is a part of Python.

    Source:
        SQLAlchemy 2.1 takes psycopg for `postgresql://`, where 2.0 takes psycopg2.
    """
    if uri.startswith("sqlite:"):
        return
    from sqlalchemy.engine import make_url  # noqa: PLC0415  # half a second, and most catalogs are in SQLite

    dialect = make_url(uri).get_dialect()
    try:
        dialect.import_dbapi()
    except ImportError as error:
        kind = uri.partition("://")[0]
        yield Problem(
            "FLOE-371",
            f"the SQL catalog needs {dialect.driver}, which is not installed",
            location,
            why=f"SQLAlchemy reaches '{kind}://' through it",
            fix=remedy_of(error) or f"pip install {dialect.driver}",
        )


def remedy_of(error: Exception) -> str:
    """What to install where *error* says that a driver is not; nothing where it says something else."""
    module = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    return f"pip install {_DISTRIBUTIONS[module]}" if module in _DISTRIBUTIONS else ""
