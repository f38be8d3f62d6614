"""Values of any type as Dagster metadata, so that what a user's function returns can always be shown."""

import dataclasses
import datetime as dt
import math
import os
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import islice
from typing import Any

import dagster as dg
from pydantic import BaseModel

ROW_COUNT = "dagster/row_count"
PARTITION_ROW_COUNT = "dagster/partition_row_count"
RANGE_ROW_COUNT = "rows_in_range"

_LONGEST_TEXT = 2_000
_MOST_ITEMS = 1_000
_DEEPEST = 20
_EXACT_INTEGERS = 2**53


def build_metadata(values: Mapping[Any, object]) -> dict[str, dg.MetadataValue[Any]]:
    """Metadata from *values*; `rows` is Dagster's row count too, unless that is among them.

    Numbers of NumPy and decimals become numbers, dates and times text or timestamps, collections, dataclasses and
    models JSON of at most 1,000 items, and what nothing else fits text, cut after 2,000 characters.
    """
    metadata = {str(name): build_metadata_value(value) for name, value in values.items()}
    rows = metadata.get("rows")
    if isinstance(rows, dg.IntMetadataValue):
        metadata.setdefault(ROW_COUNT, rows)
    return metadata


def build_metadata_value(value: object) -> dg.MetadataValue[Any]:  # noqa: C901 - one line per type
    """*value* as the metadata value that the UI shows best."""
    value = _plain_scalar(value)
    match value:
        case dg.MetadataValue():
            return value
        case None:
            return dg.MetadataValue.null()
        case bool():
            return dg.MetadataValue.bool(value)
        case int():
            return dg.MetadataValue.int(value)
        case float():
            return dg.MetadataValue.float(value) if math.isfinite(value) else dg.MetadataValue.text(str(value))
        case str():
            return dg.MetadataValue.text(_encodable(value))
        case dg.AssetKey():
            return dg.MetadataValue.asset(value)
        case dg.TableSchema():
            return dg.MetadataValue.table_schema(value)
        case dg.TableColumnLineage():
            return dg.MetadataValue.column_lineage(value)
        case dt.datetime() if value.tzinfo is not None:
            return dg.MetadataValue.timestamp(value.timestamp())
        case os.PathLike():
            return dg.MetadataValue.path(os.fsdecode(value))
        case _:
            plain = _plain(value, depth=0)
            return dg.MetadataValue.json(plain) if isinstance(plain, dict | list) else dg.MetadataValue.text(str(plain))


def _plain_scalar(value: object) -> object:
    """Numbers that are no `int` or `float`, and members of an enum, as what they stand for."""
    if isinstance(value, Enum):
        return _plain_scalar(value.value)
    if isinstance(value, Decimal) and not value.is_finite():
        return str(value)
    if isinstance(value, Decimal | Fraction):
        return float(value)
    if _is_of(value, "numpy", "generic") and not _is_of(value, "numpy", "datetime64", "timedelta64", "void"):
        return value.item()  # type: ignore[attr-defined] # numpy is not imported for the look at a type
    return value


def _plain(value: object, *, depth: int) -> object:
    """*value* out of what JSON has; text where nothing fits."""
    value = _plain_scalar(value)
    if depth > _DEEPEST:
        return _text(value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_INTEGERS else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _plain_collection(value, depth=depth)


def _plain_collection(value: object, *, depth: int) -> object:
    if isinstance(value, BaseModel):
        value = dict(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    elif _is_of(value, "numpy", "ndarray") or _is_of(value, "pandas", "Series") or _is_of(value, "polars", "Series"):
        value = list(value)  # type: ignore[call-overload] # a sequence of one of those libraries
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth=depth + 1) for key, item in islice(value.items(), _MOST_ITEMS)}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    if isinstance(value, list | tuple | range):
        rest = [f"… {len(value) - _MOST_ITEMS} more"] if len(value) > _MOST_ITEMS else []
        return [_plain(item, depth=depth + 1) for item in value[:_MOST_ITEMS]] + rest
    return _text(value)


def _text(value: object) -> str:
    match value:
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            text = f"{len(value)} bytes"
        case _:
            text = _encodable(_str(value))
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _str(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a value that cannot even be printed must not fail the asset that returns it
        return f"<{type(value).__name__}>"


def _encodable(text: str) -> str:
    """*text* without lone surrogates, which no event log can store."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _is_of(value: object, library: str, *names: str) -> bool:
    return any(cls.__name__ in names and cls.__module__.partition(".")[0] == library for cls in type(value).__mro__)
