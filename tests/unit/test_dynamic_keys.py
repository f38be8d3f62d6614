"""What a function returns as partition keys, and what it changes."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from floe_core.names.rules import RuleError
from floe_dagster.partitioning.dynamic_keys import KeyChange, compare_keys, read_keys

KEYS = st.lists(st.sampled_from("abcdefg"), unique=True)


def yielded() -> Iterator[str]:
    yield "b"
    yield "a"


@pytest.mark.parametrize(
    ("returned", "keys"),
    [([], ()), (["b", "a"], ("b", "a")), (("b",), ("b",)), ({"b", "a"}, ("a", "b")), ({"a": 1}, ("a",))],
)
def test_keys_may_come_in_any_collection(returned: object, keys: tuple[str, ...]) -> None:
    assert read_keys(returned) == keys


def test_keys_may_be_yielded() -> None:
    assert read_keys(yielded()) == ("b", "a")


def test_what_is_no_list_of_keys() -> None:
    cases: dict[str, object] = {
        "nothing": None,
        "a number": 3,
        "one text": "eu",
        "numbers": [2024],
        "none among keys": ["eu", None],
        "a key twice": ["eu", "us", "eu"],
        "an empty key": [""],
        "what Dagster refuses": ["a...b"],
        "a line break": ["a\nb"],
    }

    assert "\n".join(f"{name}: {refusal(value)}" for name, value in cases.items()) == snapshot("""\
nothing: the function returns partition keys, and None is no list of them (return a list of texts)
a number: the function returns partition keys, and 3 is no list of them (return a list of texts)
one text: the function returns partition keys, and 'eu' is no list of them (return a list of texts)
numbers: a partition key is a text, and 2024 is int (return str(key))
none among keys: a partition key is a text, and None is NoneType (return str(key))
a key twice: every key is returned once, and eu twice or more (return it once)
an empty key: a partition key is not empty: '' (leave the key out, or change it)
what Dagster refuses: Dagster takes no partition key with '...' in it: 'a...b' (leave the key out, or change it)
a line break: Dagster takes no partition key with a line break in it: 'a\\nb' (leave the key out, or change it)\
""")


def test_keys_of_a_dimension_have_no_joining_character() -> None:
    assert read_keys(["a|b"]) == ("a|b",)
    assert refusal(["|"], of_dimension=True) == snapshot(
        "a key of a dimension has none of '|', ',', '[' and ']': '|' (leave the key out, or change it)"
    )


@given(KEYS, KEYS)
def test_applying_a_change_gives_what_is_wanted(wanted: list[str], existing: list[str]) -> None:
    only_added = compare_keys(wanted, existing, remove_missing=False)
    change = compare_keys(wanted, existing, remove_missing=True)

    assert only_added == KeyChange(change.added)
    assert {*existing, *change.added} - {*change.removed} == {*wanted}
    assert bool(change) == ({*existing} != {*wanted})


def test_a_change_says_what_it_is() -> None:
    assert str(KeyChange(("a", "b"), ("c",))) == "added a, b, removed c"
    assert str(KeyChange(removed=("c",))) == "removed c"


def refusal(returned: object, *, of_dimension: bool = False) -> str:
    with pytest.raises(RuleError) as caught:
        read_keys(returned, of_dimension=of_dimension)
    return f"{caught.value} ({caught.value.fix})"
