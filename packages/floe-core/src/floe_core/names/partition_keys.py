"""Partition keys, and which of them are launched."""

import re
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from floe_core.names.rules import Rule, RuleError
from floe_core.names.scalars import read_text
from floe_core.yaml_text.scalars import WrittenFloat

_KEY_SUBSTRINGS_DAGSTER_REFUSES = {
    "...": "'...'",
    "\a": "a bell",
    "\b": "a backspace",
    "\f": "a form feed",
    "\n": "a line break",
    "\r": "a carriage return",
    "\t": "a tab",
    "\v": "a vertical tab",
    "\0": "a NUL",
}


def check_partition_key(text: str) -> str:
    """*text*, if Dagster takes it as a partition key."""
    if not text:
        raise RuleError("a partition key is not empty", fix="write a key, or delete the entry")
    found = [shown for substring, shown in _KEY_SUBSTRINGS_DAGSTER_REFUSES.items() if substring in text]
    if found:
        raise RuleError(f"Dagster takes no partition key with {found[0]} in it", fix="write the key without it")
    return text


def check_partition_selector(text: str) -> str:
    """*text*, if it says which partitions to launch: a word, `last:N` or a partition key."""
    number = re.fullmatch(r"last:(\d+)", text)
    if not (number and int(number[1])) and re.match(r"last\s*([:=(]|-?\d*\Z)", text):
        meant = re.fullmatch(r"last\s*[:=(]?\s*0*([1-9]\d*)\)?", text)
        raise RuleError(
            "it is 'latest', 'all', 'last:N' from 1 on, 'none' or a partition key",
            fix=f"write 'last:{meant[1]}'" if meant else "write 'latest' for the last one",
        )
    return check_partition_key(text)


def _read_key(value: object) -> object:
    if isinstance(value, float) and not isinstance(value, WrittenFloat):
        raise RuleError(
            f"YAML reads it as the number {value}, whose digits may differ from what was written",
            fix="put it in quotes",
        )
    return read_text(value)


PartitionKey: TypeAlias = Annotated[
    str, BeforeValidator(_read_key), Rule(check_partition_key), WithJsonSchema({"type": ["string", "integer"]})
]
PartitionSelector: TypeAlias = Annotated[
    str, BeforeValidator(_read_key), Rule(check_partition_selector), WithJsonSchema({"type": ["string", "integer"]})
]
