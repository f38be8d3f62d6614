"""Globs over asset keys."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floe_core.selection.globs import GlobError, is_glob, literal_text, parse_glob

LETTERS = "ab/"


@pytest.mark.parametrize(
    ("glob", "key", "matches"),
    [
        pytest.param("bronze_*", "bronze_orders", True, id="star"),
        pytest.param("bronze_*", "bronze_", True, id="star-of-nothing"),
        pytest.param("bronze_*", "raw/bronze_orders", True, id="last-part"),
        pytest.param("bronze_*", "bronze_x/orders", False, id="not-the-first-part"),
        pytest.param("bronze*", "bronze/orders", False, id="star-stays-in-a-part"),
        pytest.param("bronze**", "bronze/orders", True, id="two-stars-cross"),
        pytest.param("bronze/*", "bronze/orders", True, id="one-part-below"),
        pytest.param("bronze/*", "bronze/eu/orders", False, id="not-two-parts-below"),
        pytest.param("bronze/**", "bronze/eu/orders", True, id="everything-below"),
        pytest.param("bronze/**", "bronze", False, id="below-is-not-the-folder"),
        pytest.param("**/orders", "orders", True, id="no-leading-part"),
        pytest.param("**/orders", "shop/bronze/orders", True, id="two-leading-parts"),
        pytest.param("a/**/z", "a/z", True, id="nothing-between"),
        pytest.param("a/**/z", "a/b/c/z", True, id="two-parts-between"),
        pytest.param("orders?", "orders1", True, id="question-mark"),
        pytest.param("orders?", "orders", False, id="question-mark-is-one"),
        pytest.param("a?b", "a/b", False, id="question-mark-stays-in-a-part"),
        pytest.param("[ab]x", "ax", True, id="class"),
        pytest.param("[!ab]x", "ax", False, id="negated-class"),
        pytest.param("[^ab]x", "cx", True, id="class-negated-as-in-regular-expressions"),
        pytest.param("[a-c]x", "bx", True, id="range"),
        pytest.param("a[!x]b", "a/b", False, id="class-stays-in-a-part"),
        pytest.param("a[+-9]b", "a/b", False, id="range-stays-in-a-part"),
        pytest.param("[]a]", "]", True, id="bracket-in-a-class"),
        pytest.param(r"[\]a]", "]", True, id="escaped-bracket-in-a-class"),
        pytest.param("{stg,int}_orders", "int_orders", True, id="braces"),
        pytest.param("{a,b{c,d}}x", "bdx", True, id="nested-braces"),
        pytest.param("{a,}x", "x", True, id="empty-alternative"),
        pytest.param("{[,],x}", ",", True, id="comma-in-a-class"),
        pytest.param("{**/,}orders", "shop/orders", True, id="two-stars-in-braces"),
        pytest.param("{a/,b}**/c", "bx", False, id="braces-before-two-stars"),
        pytest.param("a}", "a}", True, id="closing-brace-alone"),
        pytest.param(r"a\*", "a*", True, id="escaped-star"),
        pytest.param(r"a\*", "ab", False, id="escaped-star-is-no-star"),
        pytest.param("A", "a", False, id="case"),
        pytest.param("a.b", "aXb", False, id="a-dot-is-a-dot"),
        pytest.param("*", "a\nb", True, id="line-break"),
        pytest.param("", "a", False, id="empty"),
    ],
)
def test_what_a_glob_matches(glob: str, key: str, matches: bool) -> None:
    assert parse_glob(glob).matches(key.split("/")) is matches


@pytest.mark.parametrize(
    ("glob", "message", "offset"),
    [
        pytest.param("a[b", r"the [ is not closed; write \[ for a bracket that is meant as it stands", 1, id="bracket"),
        pytest.param("[!]", r"the [ is not closed; write \[ for a bracket that is meant as it stands", 0, id="class"),
        pytest.param("{a,{b}", r"the { is not closed; write \{ for a brace that is meant as it stands", 0, id="brace"),
        pytest.param("a\\", "the backslash at the end has nothing to act on", 1, id="backslash"),
        pytest.param("x[c-a]", "the range c-a runs backwards", 1, id="range"),
        pytest.param("{a,b}" * 10, "the braces stand for more than 1000 texts", 0, id="too-many"),
    ],
)
def test_what_is_no_glob(glob: str, message: str, offset: int) -> None:
    with pytest.raises(GlobError, match=re.escape(message)) as caught:
        parse_glob(glob)

    assert (str(caught.value), caught.value.offset) == (message, offset)


@given(st.text(max_size=12))
def test_any_text_with_its_signs_escaped_matches_itself_alone(text: str) -> None:
    escaped = re.sub(r"([*?\[{\\])", r"\\\1", text)

    assert not is_glob(escaped)
    assert literal_text(escaped) == text
    assert parse_glob(escaped).matches_text(text)
    assert not parse_glob(escaped).matches_text(text + "x")


@given(st.text())
def test_any_text_is_a_glob_or_says_where_it_is_none(text: str) -> None:
    assert _offset_of_error(text) in (None, *range(len(text)))


@given(
    glob=st.lists(st.sampled_from(["a", "b", "/", "*", "?", "**", "**/", "[a]", "[!a]"]), max_size=6).map("".join),
    key=st.text(LETTERS, max_size=6),
)
def test_matching_equals_trying_every_way(glob: str, key: str) -> None:
    assert parse_glob(glob).matches_text(key) is _tried(glob, 0, key)


def _offset_of_error(text: str) -> int | None:
    try:
        parse_glob(text).matches(("a", "b"))
    except GlobError as error:
        return error.offset
    return None


def _tried(glob: str, at: int, key: str) -> bool:
    """Matches by the words of the rule, one way after another."""
    if at == len(glob):
        return not key
    if glob.startswith("**", at):
        stars = len(glob[at:]) - len(glob[at:].lstrip("*"))
        starts_part = at == 0 or glob[at - 1] == "/"
        if stars == 2 and starts_part and glob.startswith("/", at + 2):
            parts = [0, *(number + 1 for number, character in enumerate(key) if character == "/")]
            return any(_tried(glob, at + 3, key[begin:]) for begin in parts)
        return any(_tried(glob, at + stars, key[begin:]) for begin in range(len(key) + 1))
    if glob[at] == "*":
        within = key.partition("/")[0]
        return any(_tried(glob, at + 1, key[begin:]) for begin in range(len(within) + 1))
    if not key:
        return False
    if glob[at] == "?":
        return key[0] != "/" and _tried(glob, at + 1, key[1:])
    if glob[at] == "[":
        negated = glob[at + 1] == "!"
        return key[0] != "/" and (key[0] == "a") is not negated and _tried(glob, glob.index("]", at) + 1, key[1:])
    return key[0] == glob[at] and _tried(glob, at + 1, key[1:])
