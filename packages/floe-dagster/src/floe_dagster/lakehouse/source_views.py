"""Views in dbt's DuckDB file over the catalog's tables, by which dbt sources read what Python assets wrote.

A view names one version of its table. So each is written anew when its table has a newer one, always by whoever opens
the file: dbt at the start of a run, the catalog when it reads a dbt view.
"""

import importlib.resources
from collections.abc import Iterable, Mapping

import duckdb

from floe_core.errors import CatalogError, Problem
from floe_dagster.lakehouse.tables import TableName

_MARK = "table of the floe catalog at "
_LOCAL_EXTENSIONS = ("avro", "iceberg")
_REMOTE_EXTENSIONS = ("httpfs",)

_OWN_VIEWS = f"""
select schema_name, view_name, comment from duckdb_views()
where database_name = current_database() and starts_with(comment, '{_MARK}')
"""  # noqa: S608  # no parameter: DuckDB imports pandas to bind one
_RELATIONS = "select table_schema, table_name from information_schema.tables where table_catalog = current_database()"

FAST_START: Mapping[str, str] = {"allow_unsigned_extensions": "true"}
"""What to open a file with so that `load_extensions` does not check the signatures of 60 MB of extensions.

They come from packages of this environment, as DuckDB itself does. Nothing else may profit: see `end_fast_start`.
"""


def refresh_source_views(
    connection: duckdb.DuckDBPyConnection, locations: Mapping[TableName, str]
) -> tuple[TableName, ...]:
    """Make the views of the database those of *locations*, without touching one that is right.

    Returns:
        The tables that got no view, since a relation of dbt has their name.

    Raises:
        CatalogError: DuckDB cannot read a table.
    """
    views = read_source_views(connection)
    own = {_folded(name) for name in views}
    taken = {(schema.lower(), name.lower()) for schema, name in connection.execute(_RELATIONS).fetchall()} - own
    hidden = tuple(name for name in locations if _folded(name) in taken)
    for name in views.keys() - locations.keys():
        connection.execute(f"drop view {quote_name(name)}")
    replace_views(connection, {name: at for name, at in locations.items() if name not in hidden}, views)
    return hidden


def replace_views(
    connection: duckdb.DuckDBPyConnection, locations: Mapping[TableName, str], views: Mapping[TableName, str]
) -> None:
    """Write those of the *locations* that the present *views* do not have yet."""
    for name, location in locations.items():
        if views.get(name) != location:
            _replace_view(connection, name, location)


def read_source_views(connection: duckdb.DuckDBPyConnection) -> dict[TableName, str]:
    """The views made here, each with the address of the metadata it reads."""
    rows = connection.execute(_OWN_VIEWS).fetchall()
    return {TableName(tuple(schema.split(".")), view): mark.removeprefix(_MARK) for schema, view, mark in rows}


def load_extensions(
    connection: duckdb.DuckDBPyConnection, locations: Iterable[str], properties: Mapping[str, str]
) -> None:
    """Let *connection* read the Iceberg tables at *locations*, without a network and without a home directory.

    Raises:
        CatalogError: A package with an extension is not installed, or belongs to another version of DuckDB.
    """
    is_remote = any("://" in location and not location.startswith("file:") for location in locations)
    for extension in (*_LOCAL_EXTENSIONS, *_REMOTE_EXTENSIONS) if is_remote else _LOCAL_EXTENSIONS:
        try:
            files = importlib.resources.files(f"duckdb_extension_{extension}") / "extensions"
            file = files / f"v{duckdb.__version__}" / f"{extension}.duckdb_extension"
            connection.execute(f"load {quote_text(str(file))}")
        except (ModuleNotFoundError, duckdb.IOException) as error:
            raise CatalogError(_no_extension(extension, error)) from error
    if is_remote:
        connection.execute(object_store_secret(properties))


def end_fast_start(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on DuckDB loads extensions with a signature only, and cannot be told otherwise."""
    connection.execute("set global allow_unsigned_extensions = false")


def object_store_secret(properties: Mapping[str, str]) -> str:
    """The statement that lets DuckDB into the object store that *properties* let pyiceberg into.

    Without keys, the standard places are searched for them, for which DuckDB needs its extension `aws`.
    """
    address = properties.get("s3.endpoint", "")
    options = {
        "key_id": properties.get("s3.access-key-id", ""),
        "secret": properties.get("s3.secret-access-key", ""),
        "session_token": properties.get("s3.session-token", ""),
        "region": properties.get("s3.region", ""),
        "endpoint": address.partition("://")[2] or address,
    }
    words = [f"{option} {quote_text(value)}" for option, value in options.items() if value]
    if not options["key_id"]:
        words.append("provider credential_chain")
    if address:
        words += [f"use_ssl {'false' if address.startswith('http://') else 'true'}"]
    if properties.get("s3.force-virtual-addressing", "").lower() != "true" and address:
        words.append("url_style 'path'")
    return f"create or replace secret floe (type s3, {', '.join(words)})"


def quote_name(name: TableName) -> str:
    """*name* as it stands in SQL."""
    return f"{quote_identifier(name.schema)}.{quote_identifier(name.table)}"


def quote_identifier(name: str) -> str:
    """A schema, table or column as it stands in SQL."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A text as it stands in SQL."""
    return "'" + text.replace("'", "''") + "'"


def _replace_view(connection: duckdb.DuckDBPyConnection, name: TableName, location: str) -> None:
    view = quote_name(name)
    connection.execute(f"create schema if not exists {quote_identifier(name.schema)}")
    try:
        rows = f"select * from iceberg_scan({quote_text(location)})"  # noqa: S608  # quoted
        connection.execute(f"create or replace view {view} as {rows}")
    except duckdb.Error as error:
        raise CatalogError(_unreadable(name, error)) from error
    connection.execute(f"comment on view {view} is {quote_text(_MARK + location)}")


def _folded(name: TableName) -> tuple[str, str]:
    return name.schema.lower(), name.table.lower()


def _unreadable(name: TableName, error: duckdb.Error) -> Problem:
    return Problem(
        code="FLOE-400",
        what=f"DuckDB cannot read the table '{name}', which dbt needs as a source",
        why="its files are gone, or cannot be reached from here",
        fix="materialise the asset that writes it",
        detail=str(error).splitlines()[0],
    )


def _no_extension(extension: str, error: Exception) -> Problem:
    package = f"duckdb-extension-{extension}=={duckdb.__version__}"
    return Problem(
        code="FLOE-400",
        what=f"DuckDB's extension '{extension}' cannot be loaded",
        why="dbt on DuckDB reads Iceberg tables through it, and its version must be DuckDB's own",
        fix=f"install {package}",
        detail=str(error).splitlines()[0],
    )
