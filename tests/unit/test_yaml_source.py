"""YAML 1.2 with positions, and one sentence for each way in which a text is not YAML."""

import json
import math
import re
import time
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from pydantic import TypeAdapter

from floe_core.errors import DocumentError, DuplicateKeyError, Location, YamlSyntaxError
from floe_core.schemas.base import PlainMapping
from floe_core.source_map import SourceMap
from floe_core.yaml_source import YamlDocument, load_yaml, parse_yaml
from floe_core.yaml_text.scalars import plain_scalar

FILE = Path("floe.yaml")


def parse(text: str) -> YamlDocument:
    return parse_yaml(dedent(text), file=FILE)


def report(text: str) -> str:
    with pytest.raises(YamlSyntaxError) as raised:
        parse_yaml(text, file=FILE)
    return str(raised.value)


def place(location: Location) -> tuple[int | None, int | None]:
    return location.line, location.column


# ---- scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("12:30:00", "12:30:00"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("010", 10),
        ("-007", -7),
        ("+12", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0x1F", "-0x1F"),
        ("0o8", "0o8"),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e3", -1500.0),
        ("1e3", 1000.0),
        ("1e", "1e"),
        (".", "."),
        ("-", "-"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("+.Inf", math.inf),
        ("inf", "inf"),
        ("nan", "nan"),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("Null", None),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("none", "none"),
        ("1.0.0", "1.0.0"),
        ("<<", "<<"),
        ("=", "="),
        ("٣", "٣"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_are_read_by_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    scalar = plain_scalar(text)

    assert scalar == value
    assert type(scalar) is type(value)


def test_not_a_number_is_a_number() -> None:
    assert isinstance(plain_scalar(".nan"), float)
    assert math.isnan(float(str(plain_scalar(".NaN"))))


def test_quoted_block_and_tagged_scalars_are_what_they_say() -> None:
    document = parse("""
        single: '1'
        double: "true"
        literal: |
          10
        folded: >-
          a
          b
        text: !!str 10
        plain: ! 10
        integer: !!int "0x10"
        number: !!float 1
        yes: !!bool "true"
        nothing: !!null ""
        list: !!seq [1]
        mapping: !!map {a: 1}
    """)

    assert document.value == {
        "single": "1",
        "double": "true",
        "literal": "10\n",
        "folded": "a b",
        "text": "10",
        "plain": "10",
        "integer": 16,
        "number": 1.0,
        "yes": True,
        "nothing": None,
        "list": [1],
        "mapping": {"a": 1},
    }


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "--- # x\n...\n", "\ufeff", "~"])
def test_an_empty_document_is_an_empty_mapping(text: str) -> None:
    document = parse_yaml(text, file=FILE)

    assert document.value == {}
    assert place(document.source.locate("orchestration")) == (1, 1)


def test_carriage_returns_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "floe.yaml"
    file.write_bytes("\ufeffname: x\r\njobs:\r\n  - a\r\n  - |\r\n    two\r\n    lines\r\n".encode())

    document = load_yaml(file)

    assert document.value == {"name": "x", "jobs": ["a", "two\nlines\n"]}
    assert place(document.source.locate("name")) == (1, 7)
    assert place(document.source.locate("jobs", 1)) == (4, 5)
    assert document.source.locate("jobs", 0).source_line == "  - a"


# ---- positions


POSITIONED = """\
name: shop          # comment
orchestration:
  jobs:
    load: {type: batch, selection: ["group:a", +b]}
  schedules:
    - job: load

    - 'quoted key':
        deep
  empty:
"""


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        pytest.param(("name",), False, (1, 7), id="value"),
        pytest.param(("name",), True, (1, 1), id="key"),
        pytest.param(("orchestration",), True, (2, 1), id="key of a block"),
        pytest.param(("orchestration",), False, (3, 3), id="block"),
        pytest.param(("orchestration", "jobs", "load"), False, (4, 11), id="braces"),
        pytest.param(("orchestration", "jobs", "load", "selection"), True, (4, 25), id="key in braces"),
        pytest.param(("orchestration", "jobs", "load", "selection", 1), False, (4, 48), id="item in brackets"),
        pytest.param(("orchestration", "schedules", 0, "job"), False, (6, 12), id="value in a list"),
        pytest.param(("orchestration", "schedules", 1), True, (8, 7), id="item"),
        pytest.param(("orchestration", "schedules", 1, "quoted key"), False, (9, 9), id="value on the next line"),
        pytest.param(("orchestration", "schedules", 1, "quoted key"), True, (8, 7), id="quoted key"),
        pytest.param(("orchestration", "empty"), True, (10, 3), id="key without a value"),
        pytest.param(("orchestration", "jobs", "load", "tags", "x"), False, (4, 5), id="absent: the key above"),
        pytest.param(("nothing",), False, (1, 1), id="absent from the top"),
        pytest.param((), False, (1, 1), id="root"),
    ],
)
def test_every_value_and_key_has_its_line_and_column(
    path: tuple[str | int, ...], key: bool, expected: tuple[int, int]
) -> None:
    assert place(parse_yaml(POSITIONED, file=FILE).source.locate(*path, key=key)) == expected


@pytest.mark.requirement("010-FR-047")
def test_a_location_has_the_yaml_path_and_the_line() -> None:
    location = parse_yaml(POSITIONED, file=FILE).source.locate("orchestration", "schedules", 0, "job")

    assert location == Location("floe.yaml", 6, 12, "orchestration.schedules[0].job", "    - job: load")


def test_an_absent_path_is_located_at_what_is_there() -> None:
    location = parse_yaml(POSITIONED, file=FILE).source.locate("orchestration", "jobs", "load", "tags", "x")

    assert location.yaml_path == "orchestration.jobs.load"


def test_the_document_knows_its_paths() -> None:
    source = parse_yaml(POSITIONED, file=FILE).source

    assert ("orchestration", "jobs", "load", "selection", 1) in source
    assert ("orchestration", "jobs", "load", "selection", 2) not in source
    assert list(source.paths())[:5] == [
        (),
        ("name",),
        ("orchestration",),
        ("orchestration", "jobs"),
        ("orchestration", "jobs", "load"),
    ]


def test_a_source_map_survives_json_without_its_comments() -> None:
    source = parse_yaml("# password: hunter2\na: |\n  # text\n  two\nb: [1, {c: 2}]\n", file=FILE).source

    data = json.loads(json.dumps(source.to_json()))

    assert data["lines"] == ["", "a: |", "  # text", "  two", "b: [1, {c: 2}]", ""]
    assert SourceMap.from_json(data, file=FILE) == source


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"lines": [], "root": 1}, {"lines": [1], "root": [1, 1]}, {"lines": [], "root": [1, 1, [["a", 1]]]}],
)
def test_something_else_is_no_source_map(data: object) -> None:
    with pytest.raises(ValueError, match="not a"):
        SourceMap.from_json(data, file=FILE)


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
QUARTERS = st.integers(-(10**9), 10**9).map(lambda number: number / 4)
SCALARS = st.one_of(KEYS, st.integers(), st.booleans(), st.none(), QUARTERS)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
    ),
    max_size=4,
)


@given(tree=TREES, flow=st.sampled_from([None, True, False]), indent=st.integers(2, 6))
def test_any_value_is_read_back_and_found_again_at_its_position(
    tree: dict[str, object], flow: bool | None, indent: int
) -> None:
    text = json.dumps(tree, ensure_ascii=False, indent=indent) if flow is None else dump(tree, flow=flow, indent=indent)

    document = parse_yaml(text, file=FILE)

    assert document.value == tree
    lines = text.split("\n")
    for path in document.source.paths():
        value: object = document.value
        for part in path:
            value = value[part]  # type: ignore[index]  # the path comes from the document
        location = document.source.locate(*path)
        assert location.line is not None
        assert location.column is not None
        rest = "\n".join([lines[location.line - 1][location.column - 1 :], *lines[location.line :]])
        if isinstance(value, str):
            assert first_quoted(rest) == value
        elif not isinstance(value, dict | list):
            assert plain_scalar(re.split(r"[,\n\]}]", rest, maxsplit=1)[0]) == value


def dump(tree: object, *, flow: bool, indent: int) -> str:
    class Dumper(yaml.SafeDumper):
        """Writes the numbers of YAML 1.2."""

    Dumper.add_representer(float, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", repr(value)))
    Dumper.add_representer(
        str, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')
    )
    return yaml.dump(tree, Dumper=Dumper, default_flow_style=flow, indent=indent, allow_unicode=True, width=1000)


def first_quoted(text: str) -> str:
    token = next(token for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken))
    return str(token.value)


@given(text=st.text(alphabet=st.sampled_from(list("ab:- \n\t'\"[]{},&*!|>%@`?#~01.<$\\xu\u2028\x85\r")), max_size=40))
@example(text="|")
def test_any_text_is_a_document_or_a_report(text: str) -> None:
    try:
        document = parse_yaml(text, file=FILE)
    except YamlSyntaxError as error:
        report = str(error)
    except DuplicateKeyError as error:
        report = str(error)
    else:
        json.dumps(document.source.to_json())
        return
    assert "yaml." not in report
    assert "expected" not in report
    assert "<block" not in report


# ---- anchors


def test_aliases_and_merge_keys_repeat_values_at_the_place_of_the_original() -> None:
    document = parse("""
        x-defaults: &defaults
          timezone: UTC
          enabled: false
        x-more: &more {enabled: true, tags: {a: b}}
        nightly:
          <<: *defaults
          job: load
          timezone: Europe/Berlin
        hourly:
          <<: [*defaults, *more]
        list: [&x 1, *x, &x 2, *x]
    """)

    assert document.value == {
        "x-defaults": {"timezone": "UTC", "enabled": False},
        "x-more": {"enabled": True, "tags": {"a": "b"}},
        "nightly": {"timezone": "Europe/Berlin", "enabled": False, "job": "load"},
        "hourly": {"timezone": "UTC", "enabled": False, "tags": {"a": "b"}},
        "list": [1, 1, 2, 2],
    }
    assert place(document.source.locate("nightly", "timezone")) == (9, 13)
    assert place(document.source.locate("nightly", "enabled")) == (4, 12)
    assert place(document.source.locate("hourly", "tags", "a")) == (5, 41)
    assert place(document.source.locate("list", 3)) == (12, 18)


def test_a_quoted_merge_key_is_a_key() -> None:
    assert parse("'<<': 1").value == {"<<": 1}


def test_aliases_that_multiply_are_refused_in_no_time() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12))
    started = time.process_time()

    shown = report(f"l0: &l0 [x, x]\n{levels}\n")

    assert time.process_time() - started < 2
    assert shown == snapshot("""\
error[FLOE-105]: the aliases of the document repeat more than 100,000 values
  --> floe.yaml:6:20
   |  l5: &l5 [*l4, *l4, *l4, *l4, *l4, *l4, *l4, *l4, *l4, *l4]
  fix: repeat smaller values, or repeat them less often\
""")


def test_aliases_that_nest_are_refused() -> None:
    levels = "\n".join(f"l{n}: &l{n} [[*l{n - 1}]]" for n in range(1, 200))

    assert report(f"l0: &l0 []\n{levels}\n") == snapshot("""\
error[FLOE-105]: values are nested more than 64 deep
  --> floe.yaml:33:13
   |  l32: &l32 [[*l31]]\
""")


# ---- refusals


@pytest.mark.requirement("010-SC-009")
def test_every_duplicate_key_is_reported_with_its_first_place() -> None:
    text = """\
        name: a
        jobs:
          load: {type: batch, type: ops}
          load: {}
        name: b
    """
    with pytest.raises(DuplicateKeyError) as raised:
        parse(text)

    assert str(raised.value) == snapshot("""\
error[FLOE-102]: key 'type' is written twice
  --> floe.yaml:3:23
   |  load: {type: batch, type: ops}
  why: it stands in line 3 already, and only one of the two could count
  fix: keep one of the two, or rename one

error[FLOE-102]: key 'load' is written twice
  --> floe.yaml:4:3
   |  load: {}
  why: it stands in line 3 already, and only one of the two could count
  fix: keep one of the two, or rename one

error[FLOE-102]: key 'name' is written twice
  --> floe.yaml:5:1
   |  name: b
  why: it stands in line 1 already, and only one of the two could count
  fix: keep one of the two, or rename one

3 errors\
""")


MISTAKES = {
    "tab in the indentation": "jobs:\n\tload: x",
    "tab behind a colon": "jobs:\tload",
    "tab on an empty line": "a: 1\n\t\nb: 2",
    "second colon": "a: b: c",
    "second colon in a list": "jobs:\n  - when: at 12: now",
    "key below a value": "a: b\n  c: d",
    "word without colon": "orchestration\njobs: x",
    "word without colon between keys": "a: x\nfoo\nb: y",
    "open bracket": "a: [b, c",
    "open bracket before a key": "jobs:\n  x: [a, b\n  y: 1\n",
    "open brace": "a: {b: 1\nc: 2",
    "missing comma": "a: ['b' c]",
    "open quote": "a: 'b\n",
    "quote closed late": 'a: "b\nc: "d"\n',
    "quote within a quote": "a: 'it's'",
    "percent": "fmt: %Y-%m-%d",
    "at": "owner: @team # x",
    "star": "pattern: *.csv",
    "star in brackets": "job: {selection: [*], type: batch}",
    "unknown alias": "a: &daily 1\nb: *dayly",
    "star that looks like an alias": "pattern: *_data",
    "ampersand": "a: & b",
    "greater": "a: >=1.0",
    "bar": "a: |x",
    "exclamation": "selection:\n  - !stg_orders",
    "cloud tag": "a: !Ref b",
    "python tag": "a: !!python/object/apply:os.system ['ls']",
    "tag of a collection": "a: !!set {b: null}",
    "tag that lies": "a: !!int b",
    "undefined tag handle": "a: !e!b c",
    "unknown escape": 'a: "\\d+"',
    "escape without digits": 'a: "\\xzz"',
    "escape beyond unicode": 'a: "\\UFFFFFFFF"',
    "half a character": 'a: "\\ud83d"',
    "item behind a key": "a: - b",
    "dedent to nowhere": "jobs:\n    a: 1\n  b: 2",
    "first line indented": "  a: 1\nb: 2",
    "list among keys": "a: 1\n- b",
    "key among items": "- a\nb: 1",
    "expression in brackets": "a: [${X}, b]",
    "expression in braces": "a: {b: ${X:1}}",
    "number as a key": "jobs:\n  1: x",
    "boolean as a key": "true: x",
    "null as a key": "~: x",
    "empty key": ": x",
    "list as a key": "? [a]\n: b",
    "expression as a key": "{a: 1}: x",
    "list at the top": "- a",
    "text at the top": "hello",
    "second document": "a: 1\n---\nb: 2",
    "recursion": "a: &a [*a]",
    "merge of a number": "<<: 3",
    "merge twice": "x: &x {}\n<<: *x\n<<: *x\n1: 2",
    "value missing": "a: ]",
    "directive": "%FOO bar",
    "foreign version": "%YAML 2.0\n---\na: 1",
    "text behind the end": "a: 1\n...\nb",
    "control character": "a: \x07",
    "nested deep": "a: " + "[" * 100,
    "question mark": "a: b ? c\nd: ? e",
}


@pytest.mark.requirement("010-FR-047")
def test_every_mistake_is_one_sentence() -> None:
    assert {name: report(text) for name, text in MISTAKES.items()} == snapshot(
        {
            "tab in the indentation": """\
error[FLOE-109]: a tab stands in the indentation
  --> floe.yaml:2:1
   |  load: x
  why: YAML is indented and separated by spaces, since a tab has no agreed width
  fix: replace the tabs by spaces\
""",
            "tab behind a colon": """\
error[FLOE-109]: a tab stands between two words
  --> floe.yaml:1:6
   |  jobs:→load
  why: YAML is indented and separated by spaces, since a tab has no agreed width
  fix: replace the tabs by spaces\
""",
            "tab on an empty line": """\
error[FLOE-109]: a tab stands in the indentation
  --> floe.yaml:2:1
  why: YAML is indented and separated by spaces, since a tab has no agreed width
  fix: replace the tabs by spaces\
""",
            "second colon": """\
error[FLOE-101]: a second ': ' stands on one line
  --> floe.yaml:1:5
   |  a: b: c
  why: text that contains ': ' needs quotes, and a nested mapping begins on a line of its own
  fix: put the value in quotes: 'b: c'\
""",
            "second colon in a list": """\
error[FLOE-101]: a second ': ' stands on one line
  --> floe.yaml:2:16
   |  - when: at 12: now
  why: text that contains ': ' needs quotes, and a nested mapping begins on a line of its own
  fix: put the value in quotes: 'at 12: now'\
""",
            "key below a value": """\
error[FLOE-101]: key 'c' is indented below a line that already has a value
  --> floe.yaml:2:3
   |  c: d
  why: a key holds either a value on its own line or an indented block, not both
  fix: indent 'c' like its neighbours, or remove the value from the line above\
""",
            "word without colon": """\
error[FLOE-101]: 'orchestration' has no ':' behind it
  --> floe.yaml:1:1
   |  orchestration
  why: every line of a mapping is 'key: value' or 'key:' with an indented block below
  fix: write 'orchestration:'\
""",
            "word without colon between keys": """\
error[FLOE-101]: 'foo' has no ':' behind it
  --> floe.yaml:2:1
   |  foo
  why: every line of a mapping is 'key: value' or 'key:' with an indented block below
  fix: write 'foo:'\
""",
            "open bracket": """\
error[FLOE-101]: the list that '[' opens here is never closed
  --> floe.yaml:1:4
   |  a: [b, c
  fix: add the missing ']'\
""",
            "open bracket before a key": """\
error[FLOE-101]: the list that '[' opens here is not closed
  --> floe.yaml:2:6
   |  x: [a, b
  why: line 3 goes on where ',' or ']' should stand
  fix: add the missing ']', or the ',' between two items\
""",
            "open brace": """\
error[FLOE-101]: the mapping that '{' opens here is not closed
  --> floe.yaml:1:4
   |  a: {b: 1
  why: line 2 goes on where ',' or '}' should stand
  fix: add the missing '}', or the ',' between two items\
""",
            "missing comma": """\
error[FLOE-101]: ',' or ']' is missing in the list that '[' opens
  --> floe.yaml:1:9
   |  a: ['b' c]
  why: the items of a list in [ ] are separated by ','
  fix: add the ',' or the ']', or put text that holds such characters in quotes\
""",
            "open quote": """\
error[FLOE-101]: the quote ' that opens here is never closed
  --> floe.yaml:1:4
   |  a: 'b
  fix: add the closing quote\
""",
            "quote closed late": """\
error[FLOE-101]: the quote " that opens here is closed in line 2 only
  --> floe.yaml:1:4
   |  a: "b
  fix: add the closing quote in the line where it opens\
""",
            "quote within a quote": """\
error[FLOE-101]: the ' inside of the text ends it
  --> floe.yaml:1:7
   |  a: 'it's'
  why: between single quotes an apostrophe is written twice
  fix: write 'it''s', or put the text in double quotes\
""",
            "percent": """\
error[FLOE-101]: a value begins with '%' without quotes
  --> floe.yaml:1:6
   |  fmt: %Y-%m-%d
  why: '%' at the beginning of a value has a meaning of its own in YAML
  fix: put the value in quotes: '%Y-%m-%d'\
""",
            "at": """\
error[FLOE-101]: a value begins with '@' without quotes
  --> floe.yaml:1:8
   |  owner: @team # x
  why: '@' at the beginning of a value has a meaning of its own in YAML
  fix: put the value in quotes: '@team'\
""",
            "star": """\
error[FLOE-101]: a value begins with '*' without quotes
  --> floe.yaml:1:10
   |  pattern: *.csv
  why: '*' at the beginning of a value has a meaning of its own in YAML
  fix: put the value in quotes: '*.csv'\
""",
            "star in brackets": """\
error[FLOE-101]: a value begins with '*' without quotes
  --> floe.yaml:1:19
   |  job: {selection: [*], type: batch}
  why: '*' at the beginning of a value has a meaning of its own in YAML
  fix: put the value in quotes: '*'\
""",
            "unknown alias": """\
error[FLOE-105]: alias '*dayly' repeats nothing, since no '&dayly' stands before it
  --> floe.yaml:2:4
   |  b: *dayly
  fix: did you mean 'daily'?\
""",
            "star that looks like an alias": """\
error[FLOE-105]: alias '*_data' repeats nothing, since no '&_data' stands before it
  --> floe.yaml:1:10
   |  pattern: *_data
  fix: put text that begins with '*' in quotes: '*_data'\
""",
            "ampersand": """\
error[FLOE-101]: a value begins with '&' without quotes
  --> floe.yaml:1:4
   |  a: & b
  why: '&' at the beginning of a value has a meaning of its own in YAML
  fix: put the value in quotes: '& b'\
""",
            "greater": """\
error[FLOE-101]: a value begins with '>' without quotes
  --> floe.yaml:1:4
   |  a: >=1.0
  why: '>' at the beginning of a value has a meaning of its own in YAML
  fix: put the value in quotes: '>=1.0'\
""",
            "bar": """\
error[FLOE-101]: a value begins with '|' without quotes
  --> floe.yaml:1:4
   |  a: |x
  why: '|' at the beginning of a value has a meaning of its own in YAML
  fix: put the value in quotes: '|x'\
""",
            "exclamation": """\
error[FLOE-103]: the tag '!stg_orders' is not allowed
  --> floe.yaml:2:5
   |  - !stg_orders
  why: documents hold plain text, numbers, true, false, null, lists and mappings
  fix: put text that begins with '!' in quotes, or remove the tag\
""",
            "cloud tag": """\
error[FLOE-103]: the tag '!Ref' is not allowed
  --> floe.yaml:1:4
   |  a: !Ref b
  why: documents hold plain text, numbers, true, false, null, lists and mappings
  fix: put text that begins with '!' in quotes, or remove the tag\
""",
            "python tag": """\
error[FLOE-103]: the tag '!!python/object/apply:os.system' is not allowed
  --> floe.yaml:1:4
   |  a: !!python/object/apply:os.system ['ls']
  why: documents hold plain text, numbers, true, false, null, lists and mappings
  fix: remove the tag\
""",
            "tag of a collection": """\
error[FLOE-103]: the tag '!!set' is not allowed
  --> floe.yaml:1:4
   |  a: !!set {b: null}
  why: documents hold plain text, numbers, true, false, null, lists and mappings
  fix: remove the tag\
""",
            "tag that lies": """\
error[FLOE-103]: 'b' is not what its tag '!!int' says
  --> floe.yaml:1:4
   |  a: !!int b\
""",
            "undefined tag handle": """\
error[FLOE-101]: a value begins with '!' without quotes
  --> floe.yaml:1:4
   |  a: !e!b c
  why: '!' at the beginning of a value has a meaning of its own in YAML
  fix: put the value in quotes: '!e!b c'\
""",
            "unknown escape": """\
error[FLOE-101]: '\\d' in double quotes is no escape that YAML knows
  --> floe.yaml:1:5
   |  a: "\\d+"
  why: in double quotes a backslash begins an escape such as \\n or \\u00e9
  fix: use single quotes, in which a backslash is a backslash\
""",
            "escape without digits": """\
error[FLOE-101]: '\\x' in double quotes is no escape that YAML knows
  --> floe.yaml:1:5
   |  a: "\\xzz"
  why: in double quotes a backslash begins an escape such as \\n or \\u00e9
  fix: use single quotes, in which a backslash is a backslash\
""",
            "escape beyond unicode": """\
error[FLOE-101]: an escape in double quotes names no character
  --> floe.yaml:1:7
   |  a: "\\UFFFFFFFF"
  why: the last code point is \\U0010FFFF\
""",
            "half a character": """\
error[FLOE-108]: an escape in double quotes names half a character
  --> floe.yaml:1:4
   |  a: "\\ud83d"
  fix: write the character itself, or its \\U escape\
""",
            "item behind a key": """\
error[FLOE-101]: a list item '- ' stands on the line of its key
  --> floe.yaml:1:4
   |  a: - b
  why: a list begins on the line below its key, or is written as [a, b]
  fix: move the item to a line of its own\
""",
            "dedent to nowhere": """\
error[FLOE-101]: the indentation of this line fits no block above it
  --> floe.yaml:3:3
   |  b: 2
  why: the line has 2 spaces, the blocks above it begin with 0 or 4
  fix: indent the line by 4 spaces\
""",
            "first line indented": """\
error[FLOE-101]: this line is indented less than the first line of the document
  --> floe.yaml:2:1
   |  b: 2
  why: all top-level keys begin in the same column
  fix: begin all top-level keys in column 1\
""",
            "list among keys": """\
error[FLOE-101]: a list item stands among keys
  --> floe.yaml:2:1
   |  - b
  why: one block is either a list or a mapping
  fix: indent the line to where it belongs\
""",
            "key among items": """\
error[FLOE-101]: a key stands among list items
  --> floe.yaml:2:1
   |  b: 1
  why: one block is either a list or a mapping
  fix: indent the line to where it belongs\
""",
            "expression in brackets": """\
error[FLOE-101]: a '${…}' stands without quotes inside [ ]
  --> floe.yaml:1:5
   |  a: [${X}, b]
  why: inside brackets and braces a '{' begins a mapping
  fix: put the value in double quotes: "${…}"\
""",
            "expression in braces": """\
error[FLOE-101]: a '${…}' stands without quotes inside { }
  --> floe.yaml:1:8
   |  a: {b: ${X:1}}
  why: inside brackets and braces a '{' begins a mapping
  fix: put the value in double quotes: "${…}"\
""",
            "number as a key": """\
error[FLOE-104]: key 1 is a number, not text
  --> floe.yaml:2:3
   |  1: x
  why: every key of a document is text
  fix: put the key in quotes: '1'\
""",
            "boolean as a key": """\
error[FLOE-104]: key true is a boolean, not text
  --> floe.yaml:1:1
   |  true: x
  why: every key of a document is text
  fix: put the key in quotes: 'true'\
""",
            "null as a key": """\
error[FLOE-104]: key ~ is null, not text
  --> floe.yaml:1:1
   |  ~: x
  why: every key of a document is text
  fix: put the key in quotes: '~'\
""",
            "empty key": """\
error[FLOE-101]: a key is empty
  --> floe.yaml:1:1
   |  : x
  fix: write the key before the ':'\
""",
            "list as a key": """\
error[FLOE-104]: a key is a list or a mapping
  --> floe.yaml:1:3
   |  ? [a]
  why: every key of a document is text
  fix: write a name, or put text that begins with '[' or '{' in quotes\
""",
            "expression as a key": """\
error[FLOE-104]: a key is a list or a mapping
  --> floe.yaml:1:1
   |  {a: 1}: x
  why: every key of a document is text
  fix: write a name, or put text that begins with '[' or '{' in quotes\
""",
            "list at the top": """\
error[FLOE-107]: the document is a list
  --> floe.yaml:1:1
   |  - a
  why: a document is a mapping, such as 'version: 1.0.0'\
""",
            "text at the top": """\
error[FLOE-107]: the document is a single value
  --> floe.yaml:1:1
   |  hello
  why: a document is a mapping, such as 'version: 1.0.0'\
""",
            "second document": """\
error[FLOE-106]: a second document begins here
  --> floe.yaml:2:1
   |  ---
  fix: delete the line '---'\
""",
            "recursion": """\
error[FLOE-105]: alias '*a' stands inside the value that it repeats
  --> floe.yaml:1:8
   |  a: &a [*a]
  fix: move one of the two elsewhere\
""",
            "merge of a number": """\
error[FLOE-105]: '<<' merges something that is not a mapping
  --> floe.yaml:1:5
   |  <<: 3
  fix: name mappings only: '<<: *name' or '<<: [*one, *two]'\
""",
            "merge twice": """\
error[FLOE-102]: key '<<' is written twice
  --> floe.yaml:3:1
   |  <<: *x
  why: it stands in line 2 already, and only one of the two could count
  fix: write '<<: [*one, *two]'

error[FLOE-104]: key 1 is a number, not text
  --> floe.yaml:4:1
   |  1: 2
  why: every key of a document is text
  fix: put the key in quotes: '1'

2 errors\
""",
            "value missing": """\
error[FLOE-101]: ']' stands where a value should be
  --> floe.yaml:1:4
   |  a: ]
  why: ']' has a meaning of its own in YAML
  fix: write the value before it, or put text that holds such characters in quotes\
""",
            "directive": """\
error[FLOE-101]: a line begins with '%'
  --> floe.yaml:1:1
   |  %FOO bar
  why: in YAML such a line is a directive to the parser
  fix: remove the line, or put the text in quotes\
""",
            "foreign version": """\
error[FLOE-101]: a line begins with '%'
  --> floe.yaml:1:1
   |  %YAML 2.0
  why: in YAML such a line is a directive to the parser
  fix: remove the line, or put the text in quotes\
""",
            "text behind the end": """\
error[FLOE-101]: text stands behind the end of the document
  --> floe.yaml:3:1
   |  b
  why: the document is complete before this place
  fix: remove it, or indent it to where it belongs\
""",
            "control character": """\
error[FLOE-108]: a control character (U+0007) stands in the text
  --> floe.yaml:1:4
   |  a: �
  fix: remove it, or write it as an escape in double quotes\
""",
            "nested deep": """\
error[FLOE-105]: values are nested more than 64 deep
  --> floe.yaml:1:67
   |  a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\
""",
            "question mark": """\
error[FLOE-101]: a value begins with '?' without quotes
  --> floe.yaml:2:4
   |  d: ? e
  why: '?' at the beginning of a value has a meaning of its own in YAML
  fix: put the value in quotes: '? e'\
""",
        }
    )


QUOTED = """\
orchestration:
  asset_modules: ["shop.assets.*", 'shop.more']
  dbt:
    project_dir: "dbt"  # the project's folder
  assets:
    "bronze/*": {tags: {tier: "bronze", owner: 'me'}, description: "it's the first # layer"}
    "silver/*":
      description: 'a text: with {braces} and "quotes"'
      owners: ["team:data", "a@b.co"]
  jobs:
    all: {type: batch, selection: ["*", "!tag:slow"]}
    some:
      type: batch
      selection:
        - "group:bronze"
        - '+orders'
  schedules:
    nightly: {job: all, cron_schedule: "0 6 * * *", timezone: "Europe/Berlin"}
    hourly:
      cron_schedule: ["0 * * * *", "30 * * * *"]
"""


@pytest.mark.parametrize("offset", [match.start() for match in re.finditer("[\"']", QUOTED)])
@pytest.mark.parametrize("times", [0, 2], ids=["left out", "doubled"])
def test_a_quote_that_is_left_out_or_doubled_is_told_in_its_line(offset: int, times: int) -> None:
    text = QUOTED[:offset] + QUOTED[offset] * times + QUOTED[offset + 1 :]
    try:
        parse_yaml(text, file=FILE)
    except YamlSyntaxError as error:
        (problem,) = error.problems
    else:
        return  # a text without quotes, or with one of them in it
    assert problem.location is not None
    assert problem.location.line == QUOTED.count("\n", 0, offset) + 1
    assert "quote" in f"{problem.what} {problem.fix}" or f"delete one {QUOTED[offset]}" == problem.fix


def test_mistakes_that_do_not_stop_the_parser_are_reported_together() -> None:
    assert report("1: a\nb: !x c\nb: *y\nd: [e") == snapshot("""\
error[FLOE-104]: key 1 is a number, not text
  --> floe.yaml:1:1
   |  1: a
  why: every key of a document is text
  fix: put the key in quotes: '1'

error[FLOE-103]: the tag '!x' is not allowed
  --> floe.yaml:2:4
   |  b: !x c
  why: documents hold plain text, numbers, true, false, null, lists and mappings
  fix: put text that begins with '!' in quotes, or remove the tag

error[FLOE-102]: key 'b' is written twice
  --> floe.yaml:3:1
   |  b: *y
  why: it stands in line 2 already, and only one of the two could count
  fix: keep one of the two, or rename one

error[FLOE-105]: alias '*y' repeats nothing, since no '&y' stands before it
  --> floe.yaml:3:4
   |  b: *y
  fix: put text that begins with '*' in quotes: '*y'

error[FLOE-101]: the list that '[' opens here is never closed
  --> floe.yaml:4:4
   |  d: [e
  fix: add the missing ']'

5 errors\
""")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param("a: ä\nb: é\n".encode("latin-1"), 1, id="latin-1"),
        pytest.param("a: 1\nb: 2\n".encode("utf-16"), 1, id="utf-16"),
        pytest.param(b"a: 1\nb: \xff\n", 2, id="stray byte"),
    ],
)
def test_another_encoding_is_named(tmp_path: Path, content: bytes, line: int) -> None:
    file = tmp_path / "floe.yaml"
    file.write_bytes(content)

    with pytest.raises(YamlSyntaxError) as raised:
        load_yaml(file)

    (problem,) = raised.value.problems
    assert problem.code == "FLOE-108"
    assert problem.location is not None
    assert problem.location.line == line


def test_a_missing_file_and_a_folder_are_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.yaml").mkdir()

    with pytest.raises(DocumentError) as missing:
        load_yaml(tmp_path / "floe.yaml")
    with pytest.raises(DocumentError) as folder:
        load_yaml(tmp_path / "folder.yaml")

    assert str(missing.value) == snapshot("""\
error[FLOE-130]: the file does not exist
  --> floe.yaml\
""")
    assert str(folder.value) == snapshot("""\
error[FLOE-130]: the file cannot be read: Is a directory
  --> folder.yaml\
""")


def test_a_document_of_megabytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "floe.yaml"
    file.write_text("a: x\n" + "# y\n" * 600_000)

    with pytest.raises(YamlSyntaxError, match="the file is larger than 2 MiB"):
        load_yaml(file)


@pytest.mark.parametrize("line", ["password: hunter2: x", "password: 'hunter2", "{a: 1, db_password: hunter2"])
def test_a_broken_line_with_a_secret_is_not_quoted(line: str) -> None:
    assert "hunter2" not in report(f"name: x\n{line}\n")


def test_comments_are_told_from_texts() -> None:
    document = parse("""
        a: "# no"   # one
        # two
        b: |  # three
          # no
        c: x#no
    """)

    assert [(comment.text, comment.is_alone) for comment in document.comments] == [
        ("# one", False),
        ("# two", True),
        ("# three", False),
    ]


def test_free_values_are_plain_numbers_however_they_are_written() -> None:
    document = parse("args: {share: 1.10, mask: 0x1F, parts: [007, .5]}")

    read = TypeAdapter(PlainMapping).validate_python(document.value)

    assert repr(read) == "{'args': {'share': 1.1, 'mask': 31, 'parts': [7, 0.5]}}"
    [values] = read.values()
    assert isinstance(values, dict)
    share, mask, (first, second) = values.values()
    assert [type(value) for value in (share, mask, first, second)] == [float, int, int, float]
