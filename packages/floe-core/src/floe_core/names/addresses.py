"""Addresses of services, databases and buckets."""

import re
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from floe_core.names.rules import Rule, RuleError, SecretError, suggest_unless_same

_DATASET_NAMESPACE = re.compile(r"[a-zA-Z:;=/0-9_.@+-]{1,1024}")
_SHORTEST_BUCKET = 2
_LIKE_A_NAMESPACE = "write it like 'lake' or 'duckdb://shop'"
_LIKE_AN_ADDRESS = "write it like 'https://host:8181/path'"


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


def check_database_uri(text: str) -> str:
    """*text*, if it is a database address of SQLAlchemy without a password."""
    if "://" not in text:
        raise RuleError(
            "it is a database address, which begins with the kind of database",
            fix="write it like 'sqlite:///.floe/catalog.db'",
        )
    if re.match(r"[^/]+://[^/@]*:[^/@]+@", text):
        raise SecretError(
            "a password never stands in a document", fix="keep the whole address secret: uri: {secret_ref: CATALOG_URI}"
        )
    return text


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
DatabaseUri: TypeAlias = Annotated[str, Rule(check_database_uri)]
BucketName: TypeAlias = Annotated[str, Rule(check_bucket)]
DatasetNamespace: TypeAlias = Annotated[str, Rule(check_dataset_namespace)]
