"""Arrow types that are made of other types: their parts, and the same type with other parts."""

from collections.abc import Callable

import pyarrow as pa


def parts_of(data_type: pa.DataType) -> list[pa.Field]:
    """The types that a nested type is made of: a struct's fields, a map's `key` and `value`, a list's `element`."""
    if pa.types.is_struct(data_type):
        return list(data_type)
    if pa.types.is_map(data_type):
        return [pa.field("key", data_type.key_type), pa.field("value", data_type.item_type)]
    return [pa.field("element", data_type.value_type)]


def rebuild(data_type: pa.DataType, change: Callable[[pa.DataType, str], pa.DataType]) -> pa.DataType:
    """A nested type with each part changed by *change*, which is given its type and name; other types as they are.

    A list of fixed size becomes one of any, and every field nullable: Iceberg knows only these.
    """
    if not pa.types.is_nested(data_type):
        return data_type
    parts = [(part.name, change(part.type, part.name)) for part in parts_of(data_type)]
    if pa.types.is_struct(data_type):
        return pa.struct([pa.field(name, changed) for name, changed in parts])
    if pa.types.is_map(data_type):
        return pa.map_(parts[0][1], parts[1][1])
    element = parts[0][1]
    return pa.large_list(element) if pa.types.is_large_list(data_type) else pa.list_(element)
