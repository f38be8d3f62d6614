"""Texts without credentials."""

import json
import re
import time
from pathlib import Path
from urllib.parse import quote

import duckdb
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
        ("https://t0ken@git.example/a?b=c", "https://***@git.example/a?b=c"),
        ("user 'ada' password='love lace'; x", "user 'ada' password='***'; x"),
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASS", "lovelace"),
        ("SHOP_PWD2", "lovelace"),
        ("DB_PW", "lovelace"),
        ("AWS_ACCESS_KEY_ID", "AKIAX0Y1Z2A3B4C5D6E7"),
        ("AZURE_STORAGE_ACCESS_KEY", "a/b+c=="),
        ("STRIPE_KEY", "sk-x0y1z2a3"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "lovelace"),
        ("PRIVATE_KEY", "x" * 5000),
        ("PASSWORD", r'love"la\ce'),
        ("CREDENTIALS", '{"a": 1,\n "b": "lovelace"}'),
        ("PIN_SECRET", "901245"),
    ],
)
def test_a_variable_that_is_called_like_a_secret_is_one(name: str, value: str) -> None:
    mask = Masking(settings(), {name: value})

    assert mask(f"it is {value}, {value!r}") == "it is ***, '***'"
    assert mask(f"it is {json.dumps(value)}") == 'it is "***"'
    assert mask(f"it is {quote(value, safe='')}") == "it is ***"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARTITION_KEY", "2026-01-01"),
        ("SORT_KEY", "order_date"),
        ("CACHE_KEY", "orders-v12"),
        ("KEY", "short1"),
        ("PWD", "/no/such/folder"),
        ("OLDPWD", "/no/such/folder"),
        ("SECRET_STORE", "kubernetes"),
        ("TOKEN_TYPE", "bearer-tokens"),
        ("DB_PASSWORD", "postgres"),
        ("GOOGLE_APPLICATION_CREDENTIALS_FILE", "/no/such/key.json"),
        ("SECRETS_DIR", "/no/such/folder"),
        ("DB_PASS", "word"),
        ("DATABASE_URL", "postgres://ada@db/shop"),
    ],
)
def test_what_stands_in_texts_for_itself_is_no_secret(name: str, value: str) -> None:
    assert Masking(settings(), {name: value})(f"it is {value}.") == f"it is {value}."


def test_a_variable_that_is_named_is_one_where_its_value_is_no_word() -> None:
    mask = Masking(settings(secret_variables=["ONE", "TWO"]), {"ONE": "love-lace", "TWO": "low", "THREE": "byron-1788"})

    assert mask("love-lace, low, byron-1788") == "***, low, byron-1788"


def test_the_password_of_an_address_is_masked_alone() -> None:
    mask = masking(DATABASE_URL="postgres://ada:love%40lace@db/shop")

    assert mask("love@lace, love%40lace") == "***, ***"


def test_a_secret_of_letters_is_masked_as_a_word() -> None:
    assert masking(A_TOKEN="abcdef")("abcdef, xabcdefx, abcdef_1") == "***, xabcdefx, ***_1"


def test_of_a_secret_with_lines_each_is_masked() -> None:
    key = "-- begin --\n0123456789abcdefghij\nshort\n-- end --"

    assert masking(SSH_KEY_TOKEN=key)("at 0123456789abcdefghij, short") == "at ***, short"


LONG = "Hunt-the-Wumpus-Quietly-Over-Nine-Blue-Hills-And-Seven-Green-Valleys-Forever"


@pytest.mark.parametrize(
    "query",
    [
        f"select 1 as {'a' * 37}, md5('{LONG}', no_such_column_here) as h",
        f"select '{LONG}' as {'a' * 20}, no_such_column",
        f"select cast('{LONG}{LONG}' as integer)",
        f"select 1 as x, '{LONG}' as y, no_such_column, '{LONG}'",
        f"select 'é', no_such_column, '{LONG}'",
    ],
)
def test_of_a_secret_that_a_database_has_cut_off_nothing_is_told(query: str) -> None:
    with pytest.raises(duckdb.Error) as refused:
        duckdb.connect().execute(f"{query} from range(1)")

    shown = masking(DB_PASSWORD=LONG)(str(refused.value))

    assert "..." in str(refused.value)
    assert "***" in shown
    assert not re.search("Hunt|Wumpus|Quiet|Nine|Hills|Seven|Valleys|Forever", shown), shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'Hunt-t...", "'***..."),
        ("'Hunt-...", "'Hunt-..."),  # five characters tell little
        ("...-Forever' x", "...***' x"),
        ("...Nine-Blue…", "...***…"),
        (json.dumps("'Hunt-the-Wum…"), json.dumps("'***…")),
        (json.dumps("…Valleys-Forever'"), json.dumps("…***'")),
        ("Hunt-the-Wumpus of 1973 ...", "Hunt-the-Wumpus of 1973 ..."),
        (f"{LONG}..., {LONG}", "***..., ***"),
    ],
)
def test_what_is_left_of_a_secret_is_masked_where_something_was_cut_off(text: str, shown: str) -> None:
    assert masking(DB_PASSWORD=LONG)(text) == shown


@pytest.mark.parametrize("text", ["loading...", "it is 3901...", "0123...", "...bing", "waiting ..."])
def test_words_that_end_like_a_secret_stay(text: str) -> None:
    assert masking(A_TOKEN="ing-4-the-bin", B_TOKEN="901245", C_TOKEN="0a1b2c3d4e", D_TOKEN="-ebin")(text) == text


def test_cut_texts_take_time_in_proportion_to_their_length() -> None:
    mask = masking(DB_PASSWORD="ab" * 500 + "c", OTHER_TOKEN=LONG)
    text = "abababab...ababc…Hunt-th" * 20

    seconds = []
    for times in (100, 400):
        began = time.process_time()
        mask(text * times)
        seconds.append(time.process_time() - began)

    assert seconds[1] < 12 * seconds[0] + 0.2
    assert seconds[1] < 5


def test_of_two_secrets_the_longer_goes_first() -> None:
    assert masking(A_TOKEN="abcdef", B_TOKEN="abcdefgh")("abcdefgh") == "***"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("select a.token = b.token from a", "select a.token = b.token from a"),
        ("where token = 'abc' and x = 'y'", "where token = '***' and x = 'y'"),
        ("create secret s (type s3, secret 'abc')", "create secret s (type s3, secret '***')"),
        ("attach 'postgres://ada:lovelace@db'", "attach 'postgres://***@db'"),
        ("where token = reference", "where token = reference"),
        ("select 1 -- password: lovelace", "select 1 -- password: ***"),
    ],
)
def test_sql_keeps_what_is_no_text(query: str, shown: str) -> None:
    assert masking().sql(query) == shown


def test_an_address_loses_what_follows_it() -> None:
    assert without_credentials("http://a:b@c:1/d?e=f#g") == "http://c:1/d"
    assert without_credentials("postgres://a:b@d/e@c:1/d") == "postgres://c:1/d"
