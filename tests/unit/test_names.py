"""The forms that names and values of the documents take."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from dagster._core.definitions.utils import is_valid_name, is_valid_owner
from dagster._utils.tags import is_valid_strict_tag_value, is_valid_tag_key
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from pydantic import TypeAdapter

from builders import fold, refusals
from floe_core.names.addresses import BucketName, DatabaseUri, Url
from floe_core.names.identifiers import DefinitionName, EnvironmentName, GroupName, ProjectName, VariableName
from floe_core.names.import_paths import FunctionReference, ModuleReference
from floe_core.names.labels import AssetTagValue, Kind, Owner, PoolName, TagKey, TagValue
from floe_core.names.partition_keys import PartitionKey, PartitionSelector
from floe_core.names.paths import GlobPattern, LocalPath
from floe_core.names.rules import RuleError
from floe_core.names.scalars import RegularExpression, Text, WholeNumber
from floe_core.names.selections import AssetGlob, SelectionItem
from floe_core.names.times import (
    CronExpression,
    Duration,
    TimeZone,
    format_duration,
    parse_date_or_time,
    parse_duration,
)


def accepted(kind: Any, value: object) -> object:
    return TypeAdapter(kind).validate_python(value)


GOOD = [
    pytest.param(DefinitionName, "daily_load2", id="definition name"),
    pytest.param(ProjectName, "e-commerce-pipeline", id="project name"),
    pytest.param(ProjectName, "2fast", id="project name that begins with a digit"),
    pytest.param(ModuleReference, "shop.assets.bronze", id="absolute module"),
    pytest.param(ModuleReference, "shop", id="module of one part"),
    pytest.param(ModuleReference, ".assets.bronze", id="relative module"),
    pytest.param(ModuleReference, "shop.assets.*", id="modules of a package"),
    pytest.param(ModuleReference, ".assets.*", id="modules of a relative package"),
    pytest.param(FunctionReference, "shop.ops.vacuum", id="function"),
    pytest.param(CronExpression, "@daily", id="cron word"),
    pytest.param(TimeZone, "Europe/Berlin", id="zone"),
    pytest.param(LocalPath, "./incoming/", id="relative path"),
    pytest.param(LocalPath, "~/.dbt", id="home"),
    pytest.param(LocalPath, "/srv/in: coming", id="absolute path with a colon"),
    pytest.param(GlobPattern, "**/*_data_[0-9]*.csv", id="file pattern"),
    pytest.param(AssetGlob, "{bronze,silver}/*", id="asset pattern"),
    pytest.param(GroupName, "marts/finance", id="group"),
    pytest.param(PartitionKey, "us-east", id="partition key"),
    pytest.param(PartitionSelector, "last:7", id="last windows"),
    pytest.param(PartitionSelector, "lastminute", id="partition key that begins like a word"),
    pytest.param(TagKey, "dagster/priority", id="tag key"),
    pytest.param(AssetTagValue, "", id="empty tag value"),
    pytest.param(Kind, "python", id="kind"),
    pytest.param(Owner, "team:data", id="team"),
    pytest.param(Owner, "ada@example.com", id="address"),
    pytest.param(PoolName, "warehouse/writes", id="pool"),
    pytest.param(EnvironmentName, "prod-eu.1", id="environment"),
    pytest.param(VariableName, "_SECRET1", id="variable"),
    pytest.param(RegularExpression, r"(?P<day>\d+)", id="expression"),
    pytest.param(Url, "https://host:8181/api", id="address of a service"),
    pytest.param(DatabaseUri, "postgresql+psycopg2://user@host/db", id="database address"),
    pytest.param(BucketName, "data-lake.prod", id="bucket"),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_what_is_well_formed_stays_as_it_is(kind: object, value: str) -> None:
    assert accepted(kind, value) == value


def test_what_is_refused_and_why() -> None:
    bad = [
        (DefinitionName, "bronze-load"),
        (DefinitionName, "1st"),
        (DefinitionName, ""),
        (DefinitionName, "a\n"),
        (DefinitionName, "class"),
        (DefinitionName, "config"),
        (ProjectName, "my shop"),
        (ModuleReference, "shop/assets/bronze.py"),
        (ModuleReference, "shop..bronze"),
        (ModuleReference, "*"),
        (FunctionReference, "vacuum"),
        (FunctionReference, "shop.ops:vacuum()"),
        (CronExpression, "0 25 * * *"),
        (TimeZone, "Europe/Berlim"),
        (TimeZone, "Europe"),
        (TimeZone, "/etc/passwd"),
        (LocalPath, "s3://lake/incoming"),
        (LocalPath, "file:///srv/incoming"),
        (LocalPath, " "),
        (LocalPath, "a\0b"),
        (GlobPattern, "../*.csv"),
        (GlobPattern, "/srv/*.csv"),
        (GlobPattern, "orders/"),
        (GlobPattern, "[abc"),
        (AssetGlob, "{bronze,silver/*"),
        (AssetGlob, ""),
        (SelectionItem, " "),
        (GroupName, "bronze layer"),
        (PartitionKey, "a\tb"),
        (PartitionKey, 1.10),
        (PartitionSelector, "last:0"),
        (PartitionSelector, "last 3"),
        (TagKey, "a b"),
        (AssetTagValue, "see the wiki"),
        (Owner, "data"),
        (PoolName, "two words"),
        (VariableName, "hunter-2!"),
        (RegularExpression, "(?P<day>"),
        (Url, "tcp://host"),
        (Url, "https://host:port"),
        (Url, "https://ada:pw@host"),
        (DatabaseUri, "catalog.db"),
        (DatabaseUri, "postgresql://ada:pw@host/db"),
        (BucketName, "s3://lake/prefix"),
        (Duration, 24),
        (Duration, "1 month"),
        (Duration, "0h"),
        (WholeNumber, True),
    ]

    assert fold(line for kind, value in bad for line in refusals(kind, value)) == snapshot("""\
a name has letters, digits and '_', and starts with a letter
  fix: write 'bronze_load'
a name has letters, digits and '_', and starts with a letter
a name has letters, digits and '_', and starts with a letter
a name has letters, digits and '_', and starts with a letter
  fix: write 'a'
Dagster takes no name that is a word of Python, such as 'class'
  fix: write 'class_'
Dagster keeps the name 'config' for itself
  fix: write 'config_'
a name has letters, digits, '-' and '_'
  fix: write 'my-shop'
a module is named by its import path: 'shop.bronze', or '.bronze' in the project folder, or 'shop.*'
  fix: write 'shop.assets.bronze'
a module is named by its import path: 'shop.bronze', or '.bronze' in the project folder, or 'shop.*'
  fix: write names joined by dots, as in an import statement
a module is named by its import path: 'shop.bronze', or '.bronze' in the project folder, or 'shop.*'
  fix: write names joined by dots, as in an import statement
a function or class is named by its import path: module, dot and name, such as 'shop.ops.vacuum'
  fix: write its module before it, such as 'shop.vacuum'
a function or class is named by its import path: module, dot and name, such as 'shop.ops.vacuum'
  fix: write 'shop.ops.vacuum'
hour 25 is not in 0-23
  fix: write 0 to 23
a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'
  fix: did you mean 'Europe/Berlin'?
a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'
  fix: did you mean 'Europe/Kiev', 'Europe/Kyiv' or 'Europe/Oslo'?
a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'
only local paths may stand here, and s3:// is remote: that belongs into platform.yaml
  fix: name a local folder, or reach the remote place through a resource
a local path is written without a scheme
  fix: write '/srv/incoming'
a path is not empty
  fix: write '.' for the project folder
no file name has a NUL in it
  fix: delete the character
a pattern names files below the folder in 'path'
  fix: put the folder into 'path'
a pattern names files below the folder in 'path'
  fix: put the folder into 'path'
a pattern names files, and this one a folder
  fix: write 'orders/**' for all files below it
every '[' of a pattern has its ']'
  fix: add the ']', or write [[] for the character
it is a pattern over asset keys: the { is not closed; write \\{ for a brace that is meant as it stands
a pattern is not empty
  fix: write '*' for everything
is empty
  fix: name an asset or a group, or write '*' for everything
a group has letters, digits and '_' (and '/' between its parts)
  fix: write 'bronze_layer'
Dagster takes no partition key with a tab in it
  fix: write the key without it
YAML reads it as the number 1.1, whose digits may differ from what was written
  fix: put it in quotes
it is 'latest', 'all', 'last:N' from 1 on, 'none' or a partition key
  fix: write 'latest' for the last one
it is 'latest', 'all', 'last:N' from 1 on, 'none' or a partition key
  fix: write 'last:3'
a tag's key has up to 63 letters, digits, '_', '-' and '.', after an optional prefix and '/'
  fix: write 'a_b'
an asset's tag has up to 63 letters, digits, '_', '-' and '.'
  fix: put longer text into 'metadata' or 'description'
an owner is an email address or 'team:' and a name
  fix: write 'team:data'
a pool's name has no blanks and is not empty
  fix: write 'two_words'
it is the name of an environment variable, never the value itself
  fix: set the value in the environment and write the name here
it is a regular expression of Python: missing ), unterminated subpattern at position 0
  fix: mend it, or put a backslash before a character meant as it is
it is the address of a web service
  fix: write it like 'https://host:8181/path'
it is the address of a web service: Port could not be cast to integer value as 'port'
  fix: write it like 'https://host:8181/path'
a password never stands in an address
  fix: use the fields for credentials
it is a database address, which begins with the kind of database
  fix: write it like 'sqlite:///.floe/catalog.db'
a password never stands in a document
  fix: keep the whole address secret: uri: {secret_ref: CATALOG_URI}
a bucket is its bare name, without a scheme and without a path
  fix: write 'lake'
a length of time has a unit (s, m, h, d, w), such as '30m', '24h' or '1d12h'
  fix: write '24s', '24m', '24h' or '24d'
a length of time has a unit (s, m, h, d, w), such as '30m', '24h' or '1d12h'
a length of time is longer than zero
  fix: write a number above 0
it is a number, not true or false
  fix: write a number\
""")


@given(st.text(alphabet="abcxyzABC019_-. /\n", max_size=70))
def test_dagster_takes_every_name_that_is_accepted(text: str) -> None:
    for kind, is_valid in (
        (DefinitionName, is_valid_name),
        (TagKey, is_valid_tag_key),
        (AssetTagValue, is_valid_strict_tag_value),
    ):
        if not refusals(kind, text):
            assert is_valid(text)


@given(st.from_regex(r"[a-z%+@.:]{1,6}@?[a-z.-]{0,6}\.?[A-Za-z|]{0,8}|team:?[a-z ]{0,3}", fullmatch=True))
def test_owners_are_those_that_dagster_takes(text: str) -> None:
    assert (not refusals(Owner, text)) == is_valid_owner(text)


def test_an_address_without_a_scheme_is_one_of_https() -> None:
    assert accepted(Url, "s3.amazonaws.com") == "https://s3.amazonaws.com"


@pytest.mark.parametrize(
    ("value", "text"),
    [(2024, "2024"), (1.5, "1.5"), ("010", "010"), (0, "0")],
)
def test_numbers_are_text_where_text_is_meant(value: object, text: str) -> None:
    assert accepted(Text, value) == text


def test_true_is_a_tag_and_no_text() -> None:
    assert accepted(TagValue, True) == "true"
    assert refusals(Text, True) == ["Input should be a valid string"]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("24h", timedelta(days=1)),
        ("30m", timedelta(minutes=30)),
        ("3d", timedelta(days=3)),
        ("2w", timedelta(weeks=2)),
        ("1d12h", timedelta(hours=36)),
        ("1h 30m", timedelta(minutes=90)),
        ("1.5H", timedelta(minutes=90)),
        ("500ms", timedelta(milliseconds=500)),
    ],
)
def test_a_length_of_time_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@given(st.timedeltas(timedelta(milliseconds=1), timedelta(days=5000)).map(lambda t: t - t % timedelta(milliseconds=1)))
def test_a_length_of_time_survives_being_written(length: timedelta) -> None:
    if length:
        assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize(
    ("text", "fmt", "moment"),
    [
        ("2024", None, datetime(2024, 1, 1)),
        ("2024-03", None, datetime(2024, 3, 1)),
        ("2024-02-29", None, datetime(2024, 2, 29)),
        ("2024-01-01T06:30", None, datetime(2024, 1, 1, 6, 30)),
        ("2024-01-01 06:30:00", None, datetime(2024, 1, 1, 6, 30)),
        ("2024-01-01-06:00", None, datetime(2024, 1, 1, 6)),
        ("31/01/2024", "%d/%m/%Y", datetime(2024, 1, 31)),
        ("2024-01-31", "%d/%m/%Y", datetime(2024, 1, 31)),
    ],
)
def test_a_moment_is_written_in_any_of_several_ways(text: str, fmt: str | None, moment: datetime) -> None:
    assert parse_date_or_time(text, fmt=fmt) == moment


def test_a_day_that_does_not_exist_is_refused_with_the_reason() -> None:
    with pytest.raises(RuleError) as caught:
        parse_date_or_time("2024-02-30")

    assert str(caught.value) == snapshot("it is a date, a date and time, or a year: day is out of range for month")
