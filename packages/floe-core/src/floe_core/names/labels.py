"""What assets and runs are marked with: tags, kinds, owners, pools."""

import re
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from floe_core.names.rules import Rule, RuleError, suggest_unless_same
from floe_core.names.scalars import read_text

_TAG_PART = r"[A-Za-z0-9_.-]{1,63}"
_TAG_KEY = re.compile(rf"({_TAG_PART}/|dagster/kind/)?{_TAG_PART}")
_ASSET_TAG_VALUE = re.compile(r"[A-Za-z0-9_.-]{0,63}")
_KIND = re.compile(_TAG_PART)
_POOL = re.compile(r"\S+")
_EMAIL = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z|]{2,7}\b")


def check_tag_key(text: str) -> str:
    """*text*, if Dagster takes it as the key of a tag."""
    if not _TAG_KEY.fullmatch(text):
        raise RuleError(
            "a tag's key has up to 63 letters, digits, '_', '-' and '.', after an optional prefix and '/'",
            fix=_tag_like(text),
        )
    return text


def check_asset_tag_value(text: str) -> str:
    """*text*, if Dagster takes it as the value of an asset's tag."""
    if not _ASSET_TAG_VALUE.fullmatch(text):
        raise RuleError(
            "an asset's tag has up to 63 letters, digits, '_', '-' and '.'",
            fix="put longer text into 'metadata' or 'description'",
        )
    return text


def check_kind(text: str) -> str:
    """*text*, if Dagster takes it as a kind."""
    if not _KIND.fullmatch(text):
        raise RuleError("a kind has up to 63 letters, digits, '_', '-' and '.'", fix=_tag_like(text))
    return text


def check_owner(text: str) -> str:
    """*text*, if Dagster takes it as an owner."""
    is_team = text.startswith("team:") and len(text) > len("team:") and "," not in text
    if not (_EMAIL.fullmatch(text) or is_team):
        raise RuleError("an owner is an email address or 'team:' and a name", fix=_owner_like(text))
    return text


def check_pool(text: str) -> str:
    """*text*, if Dagster takes it as a concurrency pool."""
    if not _POOL.fullmatch(text):
        raise RuleError("a pool's name has no blanks and is not empty", fix=_tag_like(text))
    return text


def _owner_like(text: str) -> str:
    name = re.sub(r"\s*team\s*:\s*", "", text, count=1, flags=re.IGNORECASE).strip()
    if not name:
        return "write the team's name behind it, such as 'team:data'"
    return "" if "@" in name else f"write 'team:{name}'"


def _tag_like(text: str) -> str:
    return suggest_unless_same(re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("_")[:63], text)


def _read_tag_value(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else read_text(value)


TagKey: TypeAlias = Annotated[str, Rule(check_tag_key)]
TagValue: TypeAlias = Annotated[
    str, BeforeValidator(_read_tag_value), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
AssetTagValue: TypeAlias = Annotated[
    str,
    BeforeValidator(_read_tag_value),
    Rule(check_asset_tag_value),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
Kind: TypeAlias = Annotated[str, Rule(check_kind)]
Owner: TypeAlias = Annotated[str, Rule(check_owner)]
PoolName: TypeAlias = Annotated[str, Rule(check_pool)]
