"""Texts of every kind with secrets in them, and texts that only look as if."""

import random
import time

import pytest

from floe_core.secrets.texts import mask_secrets, without_user

MESSAGES = (
    # code and JSON
    "RuntimeError({'password': 'LEAK1'})",
    'RuntimeError({"password": "LEAK2"})',
    r'body: "{\"password\": \"LEAK3\", \"user\": \"ada\"}"',
    r'"{\\"client_secret\\": \\"LEAK4\\"}"',
    "{'api_key': b'LEAK5'}",
    "{'password': 'it\\'s LEAK6'}",
    "Settings(user='ada', password=SecretStr('LEAK7'))",
    "connect(host='db', password='LEAK8')",
    "os.environ['DB_PASSWORD'] = 'LEAK9'",
    "[('user', 'ada'), ('password', 'LEAK10')]",
    '{"apiKey": "LEAK11", "clientSecret": "LEAK12", "accessToken": "LEAK13"}',
    "password: ['LEAK14']",
    '<connection><password>LEAK15</password></connection>',
    "password = 'not closed LEAK16",
    # names with something in front
    "db_password=LEAK17",
    "client_secret=LEAK18",
    "access_token=LEAK19 refresh_token=LEAK20",
    "aws_secret_access_key=LEAK21",
    "DB_PASSWORD: LEAK22",
    "my_api_key=LEAK23",
    "PGPASSWORD=LEAK24 psql",
    "DBPassword=LEAK25;Database=shop",
    "SHOP_PWD2=LEAK26",
    "s3.secret-access-key=LEAK27",
    "db_pass=LEAK28",
    "password: LEAK29",
    "password = LEAK30",
    "host=db password=LEAK31,x;y user=ada",
    "host=db password=LEAK32'x user=ada",
    "?api-key=LEAK33&x=1",
    "state=x&password%3DLEAK34",
    "mot_de_passe=LEAK31a",
    "db_contrasena: LEAK31b",
    "secret: swordfishLEAK",
    "the password is 'LEAK', the token was 'LEAKabc1'",
    # addresses
    "postgresql://u:LEAK35p@LEAK36@host",
    "mysql://u:LEAK37/p@h",
    "mysql://u:LEAK38#p@h/db",
    "http://u:LEAK39/p@h/db",
    "https://LEAKt0ken40@git.example/a",
    "amqps://ada:LEAK41%40x@mq:5671//",
    "jdbc:oracle:thin:scott/LEAK42@//db:1521/x",
    "ada:LEAK43x@tcp(db:3306)/shop",
    "snowflake://ada:LEAK44@acc/db?warehouse=w and mssql+pyodbc://sa:LEAK45@db",
    # storage
    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=LEAK46+/abc==;EndpointSuffix=core",
    "SharedAccessKeyName=x;SharedAccessKey=LEAKabcdef=",
    "https://x.blob.core.windows.net/c?sv=2022-11-02&sig=LEAK47%2Bx%3D&se=2026",
    "https://b.s3.amazonaws.com/k?X-Amz-Signature=LEAK48ab12cd34&X-Amz-Expires=9",
    "https://b.s3.amazonaws.com/k?X-Amz-Security-Token=LEAK49",
    "https://maps.example/api?key=LEAK50abcdefghijkl",
    # headers
    "Authorization: Bearer LEAK51xyz",
    "authorization: Basic TEVBSzUxOkxFQUs1MQ==LEAK",
    "{'Authorization': 'Bearer LEAKabcdefghijklmnopqrstuvwxyz'}",
    "X-Api-Key: LEAK52abc",
    "Proxy-Authorization: token LEAK53abcdef",
    "Cookie: session=LEAK54; user=LEAK55",
    "Set-Cookie: sid=LEAK56; HttpOnly",
    # commands
    "snowsql --password LEAK57 -q x",
    "tool --token=LEAK58",
    "tool --api-key 'LEAK59'",
    "curl -u ada:LEAK60 https://x",
    'dbt build --vars {"db_password": "LEAK61"}',
    # keys and tokens by their shape
    "-----BEGIN RSA PRIVATE KEY-----\nMIILEAK62\nabcLEAK==\n-----END RSA PRIVATE KEY-----\nafter",
    "key: '-----BEGIN PRIVATE KEY-----\\nMIILEAK63\\n-----END PRIVATE KEY-----\\n'",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlLEAK64",
    "as AKIALEAKLEAKLEAK0001 in eu",
    "ghp_LEAK0123456789abcdefghijABCDEFGHIJ01",
    "got eyJhbGciOiJIUzI1LEAK.eyJzdWIiOiIxMjM0LEAK.c2lnLEAK-x_y",
    "xoxb-LEAK123456789-abcdef",
    # statements
    "Binder Error: no x\n\nLINE 3: select x, 'LEAKone' as password, 'LEAKtwo' as pwd, 'LEAKthree' as \"api_key\"",
    r"{\"sql\": \"select 'LEAKone'\nas password, \'LEAKtwo\' as pwd, 'LEAKthree' as \\\"api_key\\\" from t\"}",
    "it can't: select 'LEAK' as token",
    "'LEAK' as password, 'LEAK0a1b2c3' as token",
)  # fmt: skip
STATEMENTS = (
    "attach 'host=h password=LEAK1' (type postgres)",
    "select * from postgres_scan('host=h user=u password=LEAK2', 'public', 't')",
    "copy t from 's3://b' credentials 'aws_access_key_id=x;aws_secret_access_key=LEAK3'",
    "set s3_secret_access_key='LEAK4'",
    "set motherduck_token='LEAK5'",
    "set motherduck_token to 'LEAK6'",
    "alter x set client_secret = 'LEAK7'",
    "create user u identified by 'LEAK8'",
    "create user u identified with x by 'LEAK9'",
    "create user u identified by LEAK10",
    "select 1 -- password: LEAK11",
    "/* token=LEAK12 */ select 1",
    "select {'password': 'LEAK13'}",
    "attach 'host=h password=''top LEAK14'' user=x'",
    "where password = 'LEAK15''tail LEAK16' and x = 'y'",
    "create secret s (type s3, key_id 'x', secret 'LEAK')",
    "alter user u with encrypted password 'LEAK17'",
    "set password for 'u'@'h' = 'LEAK18'",
    "set password for u = password('LEAK19')",
    "attach 'postgres://ada:LEAK20@db'",
    "attach 'md:shop?motherduck_token=LEAK21'",
    "where token = 'LEAK' and x = 'y'",
    "create secret (type http, extra_http_headers map {'Authorization': 'Bearer LEAK22'})",
    "where password = 'LEAK23' || 'LEAK24'",
    "pragma key = 'LEAK25'",
    "select $$password=LEAK26$$",
    "select E'password=\\'LEAK27\\''",
    "where db_password <> 'LEAK28'",
    "create connection c options (password => 'LEAK29', api_key := 'LEAK30')",
    'select \'{"secret": "LEAK31"}\'::json',
    "select * from mysql_scan('host=h', 'x') -- mysql://u:LEAK32/p@h",
    "select 'LEAK33' as password, 'LEAK34' as pwd, 'LEAK35' as \"api_key\", 'LEAK36' AS `token`",
    "select 'x' as a, 'it''s LEAK37' as password, '' as b, 'LEAK38' || ' ' || 'LEAK39'\n  as secret from t",
    "select cast('LEAK40' as varchar(20)) as password, 'LEAK41'::text as pwd, N'LEAK42' as [password]",
    "execute 'select ''LEAK43'' as password'",
    "select 'LEAK44 it\\'s' as password, 'LEAK45\\' as token",
)
HARMLESS = (
    "no secret here",
    "where password_hash is null",
    "select api_key_id, token_count, secret_level from t",
    "token_count = 5 and max_tokens=100",
    "partition by sort_key=order_date",
    "where password = password2",
    "where a.token = b.token",
    "on dim.account_key = fct.account_key and x.primary_key = y.id",
    "partition_key: 2026-01-01",
    "PASS=3 WARN=0 ERROR=1 SKIP=2 NO-OP=0 TOTAL=6",
    "see https://docs.example.org/ssh#user@host",
    "ssh://git@github.com/org/repo and git+https://github.com/org/repo@v1.2",
    "https://medium.com/@ada/post and http://localhost:8080/users/@ada",
    "https://x.org/a?mail=ada@example.org",
    "key: value, note: words, name=orders",
    "mail ada1815@example.org, mailto:ada1815@example.org, email:ada1815@example.org",
    "2026-01-01T12:00:00.123456Z 9f8e7d6c-5b4a-4c3d-8e2f-1a0b9c8d7e6f",
    "model.shop.api_token: Database Error in model api_token (models/api_token.sql)",
    "test.shop.not_null_users_password.1a2b3c4d5e",
    "source.shop.raw.user_password: 3 rows",
    "Failure in model user_password (models/silver/user_password.sql)",
    "the secret 'DB_PASSWORD' is not set",
    "password: {secret_ref: NO_PASSWORD}",
    "password: ${DB_PASSWORD}",
    "password: \"{{ env_var('DB_PASSWORD') }}\"",
    "password=self.password, token=get_token(), api_key=settings.api_key",
    'password = os.environ["DB_PASSWORD"]',
    "password: null, token: true, secret=***",
    "password is required; the password: it must be set",
    "unexpected token: SELECT, near token 'from'",
    "InvalidToken: the security token is expired",
    "KeyError: 'api_token'",
    'Referenced column "token" not found, candidates: "access_token", "id"',
    'headers={"Authorization": f"Bearer {token}"}',
    'FATAL: password authentication failed for user "etl" (using password: YES)',
    "AssetKey(['bronze', 'api_token'])",
    "1 of 3 START sql table model main.user_password .......... [RUN]",
    "columns={'token': 'VARCHAR', 'password': 'varchar(20)'}",
    "one of ('token', 'secret')",
    "basic authentication, a bearer token, Basic information",
    "--token is required",
    "PWD=/srv/shop",
    "token: 5 at line 7",
    "payload:password::text, x::token",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "s3://lake/warehouse/token_type=5/part-0.parquet",
    "bronze/customers, silver.stg_orders, gold.revenue_2026",
    "arn:aws:glue:eu-west-1:123456789012",
    "commit 3c0d133a9f1b2c3d4e5f60718293a4b5c6d7e8f9",
    "duckdb:///srv/shop.duckdb, jdbc:postgresql://db:5432/shop",
    "line 3: token = reference_code",
    "http://[::1]:8080/a@b",
    "cookie: a small file",
    "first_pass=1 second_pass=2",
    "cannot read 'orders' as token, 'id' as secret or 'order_id' as api_key",
)  # fmt: skip
HARMLESS_STATEMENTS = (
    "select a.token=b.reference, password, secret as x from a",
    "select secret_level from t where token = x1 and api_key = y.key2",
    "select s.secret = t.level, 'it''s' as note -- the token of a user",
    "struct_pack(token := t.id, password := p2)",
    "where token in ('a', 'b') or token is not null",
    'select "token" from "main"."user_password" where "password_hash" = \'abc\'',
    "select 'password' as kind, 'x' as value",
    "select 'x' as token_type, 'y' as password_hash, 'order_date' as account_key, 'token' as token",
    "select '' as password, null as token, concat('a ', ' as password') as x, 'b' as partition_key",
    "select \"Name\" as password, p as token, cast('x' as password_type) from t",
)


@pytest.mark.parametrize("text", MESSAGES)
def test_secrets_are_masked_in_any_text(text: str) -> None:
    masked = mask_secrets(text)

    assert "LEAK" not in masked
    assert "***" in masked
    assert mask_secrets(masked) == masked


@pytest.mark.parametrize("text", STATEMENTS)
def test_secrets_are_masked_in_statements(text: str) -> None:
    masked = mask_secrets(text, is_sql=True)

    assert "LEAK" not in masked
    assert "***" in masked
    assert mask_secrets(masked, is_sql=True) == masked


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert mask_secrets(text) == text


@pytest.mark.parametrize("text", HARMLESS_STATEMENTS)
def test_columns_of_statements_stay(text: str) -> None:
    assert mask_secrets(text, is_sql=True) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("RuntimeError({'password': 'x1', 'n': 1})", "RuntimeError({'password': '***', 'n': 1})"),
        (r"{\"password\": \"x1\", \"n\": 1}", r"{\"password\": \"***\", \"n\": 1}"),
        ("postgresql://u:x@ss@host:5432/db?a=b", "postgresql://***@host:5432/db?a=b"),
        ("attach 'host=h password=''x1'' user=u'", "attach 'host=h password=''***'' user=u'"),
        ("password='x1''tail' and y = 'z'", "password='***' and y = 'z'"),
        ("host=db password=x1,user=ada;db=shop", "host=db password=***,user=ada;db=shop"),
        ("a?sig=x1%2F&se=2026", "a?sig=***&se=2026"),
        ("key='-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----' x", "key='***' x"),
        ("copy t credentials 'k=x1' csv", "copy t credentials '***' csv"),
        ("(password=x1).", "(password=***)."),
        ('{"dsn":"password=x1","user":"u"}', '{"dsn":"password=***","user":"u"}'),
    ],
)
def test_what_is_around_a_secret_stays(text: str, shown: str) -> None:
    assert mask_secrets(text, is_sql=text.startswith("copy ")) == shown


def test_an_address_loses_whoever_uses_it() -> None:
    assert (
        without_user("https://ada@lake.example/a and mysql://u:a/b@c@db/x") == "https://lake.example/a and mysql://db/x"
    )


REPEATED = (
    "a", "a ", "a=", " ", "'", "''", '"', "\\", '\\"', "-", "--", "/*", "$a$", "://", "://a@", "://a:b@", "a:", "@",
    "password=", "password='", "password=''", "password='x''", "password=\\'", 'password="', "password: ", "password,",
    "password%3D", "password=a,", "password=a'", "('password',", "password = 'a' || ", "password to ", "account_key=",
    "token:", "token: x,", "secret '", "--password ", "bearer ", "basic a", "cookie: a=", "identified by ",
    "identified with ", "set password for ", "pragma key=", "-eyJ", "eyJhbGciOi.eyJ", "xox-", "x1y2z3", "0:AA", "-u a:",
    "user1:", "u:p1@", "thin:a/", "'x' as password", "' as password", "'' as token ", "' || '",
    "'a' || 'b' as password", "\\' as pwd, ", "-----BEGIN PRIVATE KEY-----", "<password>", "é",
)  # fmt: skip


@pytest.mark.parametrize("is_sql", [False, True])
def test_a_text_of_any_make_takes_time_in_proportion(is_sql: bool) -> None:
    """Ten times a text takes about ten times as long, whatever is repeated in it; a square would be a hundred times."""
    for part in (*REPEATED, *_mixed()):
        short, long = (_seconds((part * (size // len(part) + 1))[:size], is_sql=is_sql) for size in (4_000, 40_000))

        assert long < 40 * max(short, 0.002), part


def test_a_megabyte_is_masked_in_seconds() -> None:
    query = "select o.token, 'x' as note from orders as o where o.password = 'x1' and o.key2 = o.id -- it's\n"

    assert _seconds((query * 12_000)[:1_000_000], is_sql=True) < 20


def _mixed() -> list[str]:
    chosen = random.Random(7)
    return ["".join(chosen.choices("ab'\"\\=: ,@/-()[]{}$\n.", k=40)) + "password=" for _ in range(10)]


def _seconds(text: str, *, is_sql: bool) -> float:
    began = time.process_time()
    mask_secrets(text, is_sql=is_sql)
    return time.process_time() - began
