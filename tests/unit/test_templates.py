"""Texts with places to fill in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floe_core.templates import Placeholder, TemplateError, parse_template, texts_in

NAMES = ("file.name", "day")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("", (), id="empty"),
        pytest.param("plain", ("plain",), id="plain"),
        pytest.param("{day}", (Placeholder("day"),), id="place"),
        pytest.param("{day:%Y-%m-%d}", (Placeholder("day", "%Y-%m-%d"),), id="format"),
        pytest.param("a{file.name}b{day}", ("a", Placeholder("file.name"), "b", Placeholder("day")), id="several"),
        pytest.param('{{"a": "{day}"}}', ('{"a": "', Placeholder("day"), '"}'), id="braces"),
        pytest.param("{{{day}}}", ("{", Placeholder("day"), "}"), id="place in braces"),
    ],
)
def test_a_template_is_text_and_places(text: str, parts: tuple[object, ...]) -> None:
    assert parse_template(text, NAMES) == parts


@pytest.mark.parametrize(
    ("text", "rule", "fix"),
    [
        ("{dya}", "'{dya}' cannot be filled in: there is {file.name}, {day}", "did you mean 'day'?"),
        ("{}", "'{}' cannot be filled in: there is {file.name}, {day}", "write '{{}}' for plain braces"),
        ("a {", "every '{' that is filled in has its '}'", "add the '}', or write '{{' for a plain brace"),
        ("a }", "every '{' that is filled in has its '}'", "write '}}' for a plain brace"),
    ],
)
def test_braces_that_say_nothing_are_refused(text: str, rule: str, fix: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(text, NAMES)

    assert (str(caught.value), caught.value.fix) == (rule, fix)


@given(st.text())
def test_text_with_its_braces_doubled_is_itself(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")

    assert "".join(map(str, parse_template(doubled, ()))) == text


def test_texts_are_found_at_any_depth() -> None:
    tree = {"a": "x", "b": [1, {"c": "y"}, ["z"]], "d": None}

    assert list(texts_in(tree)) == [(("a",), "x"), (("b", 1, "c"), "y"), (("b", 2, 0), "z")]
