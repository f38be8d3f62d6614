"""Texts without credentials."""

from pathlib import Path

import pytest

from floe_dagster.observability.masking import Masking, without_credentials
from lineage_records import settings


def masking(secret_names: tuple[str, ...] = (), **environ: str) -> Masking:
    return Masking(settings(secret_names=secret_names), environ)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no secret here", "no secret here"),
        ("postgres://ada:lovelace@db/shop", "postgres://***@db/shop"),
        ("https://token@git.example/a?b=c", "https://***@git.example/a?b=c"),
        ("user 'ada' password='love lace'; x", "user 'ada' password=***; x"),
        ("PASSWORD: lovelace, host db", "PASSWORD: ***, host db"),
        ("api-key=abc&x=1", "api-key=***&x=1"),
        ("Authorization: Bearer eyJhbGciOi.J9", "Authorization: Bearer ***"),
        ("mail ada@example.org", "mail ada@example.org"),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, shown: str) -> None:
    assert masking()(text) == shown


def test_declared_secrets_are_masked_however_they_are_called(tmp_path: Path) -> None:
    (tmp_path / "TILL").write_text("fr0m-a-file\n")

    mask = masking(("TILL", "DOOR"), DOOR="abc", FLOE_SECRETS_DIR=str(tmp_path))

    assert mask("fr0m-a-file and abc, xabcx") == "*** and ***, x***x"


def test_variables_that_are_called_like_secrets_are_masked() -> None:
    environ = {
        "DB_PASSWORD": "hunter22",
        "MY_TOKEN": "short",
        "AWS_SECRET_ACCESS_KEY": "abcdefgh",
        "SECRETS_DIR": "/tmp",
    }

    assert Masking(settings(), environ)("hunter22 short abcdefgh /tmp") == "*** short *** /tmp"


def test_of_two_secrets_the_longer_goes_first() -> None:
    assert masking(A_TOKEN="abcdef", B_TOKEN="abcdefgh")("abcdefgh") == "***"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("select a.token = b.token from a", "select a.token = b.token from a"),
        ("where token = 'abc' and x = 'y'", "where token = '***' and x = 'y'"),
        ("create secret s (type s3, secret 'abc')", "create secret s (type s3, secret '***')"),
        ("attach 'postgres://ada:lovelace@db'", "attach 'postgres://***@db'"),
    ],
)
def test_sql_keeps_what_is_no_text(query: str, shown: str) -> None:
    assert masking().sql(query) == shown


def test_an_address_loses_what_follows_it() -> None:
    assert without_credentials("http://a:b@c:1/d?e=f#g") == "http://c:1/d"
