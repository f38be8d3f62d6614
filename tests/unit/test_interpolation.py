"""`${VAR}` expressions in the values of a document."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from floe_core.errors import render_problems
from floe_core.interpolation import EnvText, Interpolation, Unset, interpolate
from floe_core.yaml_source import parse_yaml


def read(text: str, **environ: str) -> Interpolation:
    document = parse_yaml(text, file=Path("floe.yaml"))
    return interpolate(document.value, environ=environ, source=document.source)


def replace(text: str, environ: Mapping[str, str]) -> object:
    document = parse_yaml("a: x", file=Path("floe.yaml"))
    return interpolate({"a": text}, environ=environ, source=document.source).value["a"]  # type: ignore[index]


@pytest.mark.requirement("010-FR-045")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("${SET}", "value", id="variable"),
        pytest.param("${SET:other}", "value", id="set wins over the default"),
        pytest.param("${SET:-other}", "value", id="set wins over the shell default"),
        pytest.param("${NO:default}", "default", id="default"),
        pytest.param("${NO:-default}", "default", id="shell default"),
        pytest.param("${NO:}", "", id="empty default"),
        pytest.param("${NO:-}", "", id="empty shell default"),
        pytest.param("${NO: a b }", " a b ", id="blanks"),
        pytest.param("${NO:0 6 * * *}", "0 6 * * *", id="cron"),
        pytest.param("${NO:2024-01-01 06:00:00}", "2024-01-01 06:00:00", id="colons"),
        pytest.param("${NO:http://a:80/?b=c}", "http://a:80/?b=c", id="url"),
        pytest.param("${NO:--5}", "-5", id="minus five"),
        pytest.param("${NO:-5}", "5", id="shell five"),
        pytest.param("${EMPTY}", "", id="set to nothing"),
        pytest.param("${EMPTY:default}", "", id="set to nothing is set"),
        pytest.param("${EMPTY:-default}", "default", id="but not for the shell form"),
        pytest.param("${NO:${SET}}", "value", id="nested"),
        pytest.param("${NO:${NO2:${NO3:deep}}}", "deep", id="nested twice"),
        pytest.param("${NO:a${SET}b${SET}c}", "avaluebvaluec", id="nested between text"),
        pytest.param("${SET:${NEVER_NEEDED}}", "value", id="a default that is not needed"),
        pytest.param("${NO:{a}{{b}}}", "{a}{{b}}", id="braces in pairs"),
        pytest.param("${NO:$${SET}}", "${SET}", id="literal in a default"),
        pytest.param("a ${SET}/${SET} b", "a value/value b", id="within text"),
        pytest.param("$${SET}", "${SET}", id="literal"),
        pytest.param("$${SET} ${SET}", "${SET} value", id="literal beside an expression"),
        pytest.param("$${", "${", id="literal opening"),
        pytest.param("$SET $ $$ {SET} $} }", "$SET $ $$ {SET} $} }", id="no expression"),
        pytest.param("", "", id="empty"),
        pytest.param("${EXPRESSION}", "${SET}", id="values are not read again"),
        pytest.param("ä${SET}ö\n", "ävalueö\n", id="other letters"),
    ],
)
def test_expressions_are_replaced(text: str, value: str) -> None:
    assert replace(text, {"SET": "value", "EMPTY": "", "EXPRESSION": "${SET}"}) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("${SET}", EnvText),
        ("${NO:30}", EnvText),
        ("${NO:-30}", EnvText),
        ("${NO:a ${SET} b}", EnvText),
        ("${NO}", Unset),
        ("a ${NO}", Unset),
        ("${NO:${NO}}", Unset),
        ("${1}", Unset),
        (" ${SET}", str),
        ("${SET}${SET}", str),
        ("$${SET}", str),
        ("30", str),
    ],
)
def test_what_a_scalar_becomes_is_its_type(text: str, kind: type) -> None:
    assert type(replace(text, {"SET": "value"})) is kind


def test_an_unset_scalar_keeps_its_raw_text() -> None:
    assert replace("a ${NO} ${SET}", {"SET": "value"}) == "a ${NO} ${SET}"


@pytest.mark.requirement("010-FR-045")
def test_every_value_at_any_depth_is_read() -> None:
    interpolation = read("a: ['${A}', {b: '${A}', c: [1, true, null, 1.5]}]", A="x")

    assert interpolation.value == {"a": ["x", {"b": "x", "c": [1, True, None, 1.5]}]}
    assert interpolation.raw == {("a", 0): "${A}", ("a", 1, "b"): "${A}"}


@pytest.mark.requirement("010-FR-045")
def test_an_expression_in_a_key_is_an_error_and_its_entry_is_left_out() -> None:
    interpolation = read("jobs: {'${A}': '${A}', 'a ${A:b}': 1, '$${A}': 2, b: 3}", A="x")

    assert interpolation.value == {"jobs": {"$${A}": 2, "b": 3}}
    assert f"\n{render_problems(interpolation.errors)}\n" == snapshot("""\

error[FLOE-113]: key '${A}' holds an expression
  --> floe.yaml:1:8  jobs.${A}
   |  jobs: {'${A}': '${A}', 'a ${A:b}': 1, '$${A}': 2, b: 3}
  why: what comes from the environment stands in values, never in keys
  fix: write the name itself

error[FLOE-113]: key 'a ${A:b}' holds an expression
  --> floe.yaml:1:24  jobs["a ${A:b}"]
   |  jobs: {'${A}': '${A}', 'a ${A:b}': 1, '$${A}': 2, b: 3}
  why: what comes from the environment stands in values, never in keys
  fix: write the name itself

2 errors
""")


def test_a_value_never_changes_the_structure() -> None:
    assert read("a: ${A}", A="b: c\n- d # e\n{}").value == {"a": "b: c\n- d # e\n{}"}


def test_raw_texts_are_kept_of_scalars_with_expressions_only() -> None:
    assert read("a: b ${A:x}\nb: $${A}\nc: plain").raw == {("a",): "b ${A:x}"}


def test_unset_variables_are_listed_with_every_line_that_uses_them() -> None:
    interpolation = read(
        """\
job: ${JOB}
args:
  - first ${USER_NAME} ${JOB}
  - "it''s \\"quoted\\" ${JOB}"
  - |
    a $${JOB}
    b ${JOB} ${USER_NAME:x}
  - '${OTHER:${JOB}}'
  - "\\x24{HIDDEN}"
"""
    )

    places = {variable.name: [str(location) for location in variable.locations] for variable in interpolation.unset}
    assert places == {
        "JOB": ["floe.yaml:1:6", "floe.yaml:3:24", "floe.yaml:4:23", "floe.yaml:7:7", "floe.yaml:8:14"],
        "USER_NAME": ["floe.yaml:3:11"],
        "HIDDEN": ["floe.yaml:9:5"],
    }


@pytest.mark.requirement("010-FR-047")
def test_malformed_expressions_are_errors_where_they_stand() -> None:
    interpolation = read(
        """\
a: x ${
b: "${A"
c: ${}
d: ${1X}
e: [ok, "${A B}"]
f: >
  text
  ${A-default}
g: ${ A }
h: ${A:${B}
i: ${A:${}}
j: ${.}
"""
    )

    assert render_problems(interpolation.errors) == snapshot("""\
error[FLOE-110]: expression '${' is never closed
  --> floe.yaml:1:6  a
   |  a: x ${
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: add the closing brace: ${NAME}

error[FLOE-110]: expression '${A' is never closed
  --> floe.yaml:2:5  b
   |  b: "${A"
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: add the closing brace: ${A}

error[FLOE-110]: expression '${}' has no name
  --> floe.yaml:3:4  c
   |  c: ${}
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: name a variable by letters, digits and '_', not beginning with a digit; write $${ for a plain ${

error[FLOE-110]: expression '${1X}' names no variable
  --> floe.yaml:4:4  d
   |  d: ${1X}
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: name a variable by letters, digits and '_', not beginning with a digit; write $${ for a plain ${

error[FLOE-110]: expression '${A B}' names no variable
  --> floe.yaml:5:10  e[1]
   |  e: [ok, "${A B}"]
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: name a variable by letters, digits and '_', not beginning with a digit; write $${ for a plain ${

error[FLOE-110]: expression '${A-default}' names no variable
  --> floe.yaml:8:3  f
   |  ${A-default}
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: write ${A:-default}

error[FLOE-110]: expression '${ A }' names no variable
  --> floe.yaml:9:4  g
   |  g: ${ A }
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: write ${A}

error[FLOE-110]: expression '${A' is never closed
  --> floe.yaml:10:4  h
   |  h: ${A:${B}
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: add the closing brace: ${A…}

error[FLOE-110]: expression '${}' has no name
  --> floe.yaml:11:8  i
   |  i: ${A:${}}
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: name a variable by letters, digits and '_', not beginning with a digit; write $${ for a plain ${

error[FLOE-110]: expression '${.}' names no variable
  --> floe.yaml:12:4  j
   |  j: ${.}
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: name a variable by letters, digits and '_', not beginning with a digit; write $${ for a plain ${

10 errors\
""")


def test_defaults_that_nest_without_end_are_an_error() -> None:
    text = "${A:" * 100 + "}" * 100

    interpolation = read(f"a: {text}")

    assert render_problems(interpolation.errors) == snapshot("""\
error[FLOE-110]: defaults are nested more than 32 deep
  --> floe.yaml:1:132  a
   |  …{A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A:${A…
  why: an expression is ${NAME}, ${NAME:default} or ${NAME:-default}, and $${ stands for a plain ${
  fix: name fewer variables\
""")


def test_a_shell_default_that_looks_like_a_number_gets_a_warning() -> None:
    interpolation = read("a: ${N:-5}\nb: x ${N:-0.5}\nc: ${N:--5}\nd: ${N:5}\ne: ${N:-text}\nf: ${N:-}\ng: ${N:-true}")

    assert interpolation.errors == ()
    assert render_problems(interpolation.warnings) == snapshot("""\
warning[FLOE-112]: the default of ${N:-5} is 5, not minus 5
  --> floe.yaml:1:4  a
   |  a: ${N:-5}
  why: ':-' is the shell's way to begin a default
  fix: write ${N:5}, or ${N:--5} for minus 5

warning[FLOE-112]: the default of ${N:-0.5} is 0.5, not minus 0.5
  --> floe.yaml:2:6  b
   |  b: x ${N:-0.5}
  why: ':-' is the shell's way to begin a default
  fix: write ${N:0.5}, or ${N:--0.5} for minus 0.5

2 warnings\
""")


def test_forms_of_the_shell_that_are_plain_defaults_here_get_a_warning() -> None:
    interpolation = read("a: ${N:?unset}\nb: ${N:=x}\nc: ${N:+x}\nd: ${N:+02}\ne: ${N:-?x}\nf: ${N:a?}")

    assert interpolation.value == {"a": "?unset", "b": "=x", "c": "+x", "d": "+02", "e": "?x", "f": "a?"}
    assert [(problem.what, problem.fix) for problem in interpolation.warnings] == [
        (
            "the default in ${N:?…} begins with '?'",
            "write ${N}, or ${N:-?…} for a default that does begin with '?'",
        ),
        (
            "the default in ${N:=…} begins with '='",
            "write ${N:…}, or ${N:-=…} for a default that does begin with '='",
        ),
        (
            "the default in ${N:+…} begins with '+'",
            "write ${N}, or ${N:-+…} for a default that does begin with '+'",
        ),
    ]


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_characters="${}", codec="utf-8"), max_size=12)


@given(text=st.text(st.sampled_from(list("$a: -")), max_size=20))
def test_text_without_an_opening_stays_as_it_is(text: str) -> None:
    assert replace(text, {}) == text


@given(text=st.text(st.sampled_from(list("${}A:-x 1")), max_size=20))
def test_any_text_gives_a_value_or_is_kept_whole(text: str) -> None:
    replaced = replace(text, {"A": "value"})

    assert isinstance(replaced, str)
    if isinstance(replaced, Unset):
        assert replaced == text


@given(before=TEXTS, name=NAMES, default=TEXTS, after=TEXTS, environ=st.dictionaries(NAMES, TEXTS, max_size=3))
def test_a_value_is_the_variable_or_else_the_default(
    before: str, name: str, default: str, after: str, environ: dict[str, str]
) -> None:
    replaced = replace(f"{before}${{{name}:{default}}}{after}", environ)
    value = environ.get(name)
    if default.startswith("-"):
        value, default = value or None, default[1:]

    assert replaced == before + (default if value is None else value) + after


@given(before=TEXTS, name=NAMES, after=TEXTS)
def test_an_escaped_expression_is_itself(before: str, name: str, after: str) -> None:
    assert replace(f"{before}$${{{name}}}{after}", {name: "value"}) == f"{before}${{{name}}}{after}"


@given(
    scalars=st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="${}"), max_size=10), max_size=6
    ),
    style=st.sampled_from(["single", "double", "literal"]),
)
def test_an_expression_is_found_at_its_line_and_column(scalars: list[str], style: str) -> None:
    lines = []
    for number, scalar in enumerate(scalars):
        text = f"{scalar}${{V{number}}}{scalar}"
        match style:
            case "single":
                lines.append(f"k{number}: '{text.replace(chr(39), chr(39) * 2)}'")
            case "double":
                escaped = text.replace("\\", "\\\\").replace('"', '\\"')
                lines.append(f'k{number}: "{escaped}"')
            case _:
                lines += [f"k{number}: |", f"  x{text}"]

    interpolation = read("\n".join(lines))

    assert [variable.name for variable in interpolation.unset] == [f"V{number}" for number in range(len(scalars))]
    for variable in interpolation.unset:
        (location,) = variable.locations
        assert location.line is not None
        assert location.column is not None
        assert lines[location.line - 1][location.column - 1 :].startswith(f"${{{variable.name}}}")
