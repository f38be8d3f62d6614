"""Addresses of services, databases and buckets."""

import re
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from floe_core.names.rules import Rule, RuleError, SecretError, suggest_unless_same
from floe_core.names.scalars import Text
from floe_core.suggestions import list_names

_DATASET_NAMESPACE = re.compile(r"[a-zA-Z:;=/0-9_.@+-]{1,1024}")
_SHORTEST_BUCKET = 2
_LIKE_A_NAMESPACE = "write it like 'lake' or 'duckdb://shop'"
_LIKE_AN_ADDRESS = "write it like 'https://host:8181/path'"
_SQLITE_FILE = "sqlite:///.floe/catalog.db"
_POSTGRES = "postgresql://catalog@host/catalog"
_DRIVERS = ("psycopg2", "psycopg", "pg8000")


def check_url(text: str) -> str:
    """*text* with `https://` before it where it has no scheme, if it is the address of a web service."""
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RuleError(f"it is the address of a web service: {error}", fix=_LIKE_AN_ADDRESS) from error
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or port == 0 or " " in url:
        raise RuleError("it is the address of a web service", fix=_LIKE_AN_ADDRESS)
    if parts.password is not None:
        raise SecretError("a password never stands in an address", fix="use the fields for credentials")
    return url


def check_host(text: str) -> str:
    """*text*, if it is a host and nothing more, or the folder of a socket; an IPv6 address has several colons."""
    bare = text
    if "://" in text or "@" in text:
        bare = urlsplit(text if "://" in text else f"//{text}").netloc.rpartition("@")[2]
    host, _, port = bare.partition(":")
    if bare != text or (port.isdigit() and not text.startswith("/")):
        raise RuleError(
            "a host is its bare name, and its port stands in 'port'",
            fix=f"write host: {host}" + (f" and port: {port}" if port.isdigit() else ""),
        )
    return text


def check_database_uri(text: str) -> str:
    """*text*, if it is a database address of SQLAlchemy that a catalog can be kept at, without a password.

    Source:
        The SQL catalog of pyiceberg supports PostgreSQL and SQLite, and works synchronously.
        https://py.iceberg.apache.org/configuration/#sql-catalog
    """
    if "://" not in text:
        raise RuleError(
            "it is a database address, which begins with the kind of database", fix=f"write it like '{_SQLITE_FILE}'"
        )
    if re.match(r"[^/]+://[^/@]*:[^/@]+@", text):
        raise SecretError(
            "a password never stands in a document", fix="keep the whole address secret: uri: {secret_ref: CATALOG_URI}"
        )
    kind, _, place = text.partition("://")
    database, _, driver = kind.removeprefix("jdbc:").partition("+")
    match database.lower():
        case "sqlite":
            _check_sqlite(kind, place)
        case "postgresql":
            _check_driver(kind, driver, place)
        case _:
            is_postgres = database.lower() in ("postgres", "postgresql", "pgsql", "psql", "pg", "redshift")
            raise RuleError(
                f"SQLAlchemy calls PostgreSQL 'postgresql', not '{kind}'"
                if is_postgres
                else f"a SQL catalog is kept in PostgreSQL or SQLite, and not in '{kind}'",
                fix=f"write 'postgresql://{_without_query(place)}'" if is_postgres else f"write it like '{_POSTGRES}'",
            )
    return text


def _check_sqlite(kind: str, place: str) -> None:
    file = _without_query(place)
    if file in ("", "/") or ":memory:" in file:
        raise RuleError(
            "a catalog in memory is gone with its process, and the next run needs it",
            fix=f"name a file: '{_SQLITE_FILE}'",
        )
    if not file.startswith("/") or kind != "sqlite":
        raise RuleError(
            "the file of a SQLite catalog stands behind 'sqlite:///', where an absolute path adds its own '/'",
            fix=f"write 'sqlite:///{file if not file.startswith('/') else file.removeprefix('/')}'",
        )


def _check_driver(kind: str, driver: str, place: str) -> None:
    if kind.startswith("jdbc:"):
        raise RuleError(
            "the address is one of SQLAlchemy, and 'jdbc:' is Java's",
            fix=f"write 'postgresql://{_without_query(place)}'",
        )
    if driver and driver not in _DRIVERS:
        raise RuleError(
            f"the driver behind '+' is one of {list_names(_DRIVERS)}, which the catalog can wait for",
            fix=f"write 'postgresql+{_DRIVERS[0]}://{_without_query(place)}'",
        )
    try:
        _ = urlsplit(f"//{place}").port
    except ValueError as error:
        raise RuleError(f"it is the address of a database: {error}", fix=f"write it like '{_POSTGRES}'") from error


def _without_query(place: str) -> str:
    """*place* without what stands behind the '?', which may be a password."""
    return place.partition("?")[0]


def check_bucket(text: str) -> str:
    """*text*, if it is the bare name of a bucket."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", text):
        bare = re.sub(r"^\w+://", "", text).split("/")[0]
        if bare != text:
            raise RuleError(
                "a bucket is its bare name, without a scheme and without a path", fix=suggest_unless_same(bare, text)
            )
        plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")
        is_short = len(plain) < _SHORTEST_BUCKET
        raise RuleError(
            "the name of a bucket has two or more letters, digits, '.', '-' and '_'",
            fix="write its whole name" if is_short else suggest_unless_same(plain, text),
        )
    return text


def check_dataset_namespace(text: str) -> str:
    """*text*, if lineage stores take it as the namespace of datasets.

    Source:
        Marquez takes no other characters in the namespace of a dataset.
    """
    if not _DATASET_NAMESPACE.fullmatch(text):
        raise RuleError(
            "a namespace of datasets has letters, digits and any of : ; = / _ - . @ +", fix=_LIKE_A_NAMESPACE
        )
    if re.search(r"://[^/@]*@", text):
        raise SecretError(
            "a namespace of datasets is sent in clear, and holds no user or password", fix="leave them out"
        )
    return text


Url: TypeAlias = Annotated[str, Rule(check_url)]
Host: TypeAlias = Annotated[Text, Rule(check_host)]
DatabaseUri: TypeAlias = Annotated[str, Rule(check_database_uri)]
BucketName: TypeAlias = Annotated[str, Rule(check_bucket)]
DatasetNamespace: TypeAlias = Annotated[str, Rule(check_dataset_namespace)]
