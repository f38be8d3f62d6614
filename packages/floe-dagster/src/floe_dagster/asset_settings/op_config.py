"""Default run config of an op, as defaults of its config schema."""

from collections.abc import Mapping
from typing import cast

import dagster as dg
from dagster._config import ConfigType, ConfigTypeKind
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction
from dagster._core.definitions.definition_config_schema import DefinitionConfigSchema, IDefinitionConfigSchema

from floe_core.errors import Problem
from floe_dagster.launching.run_config import RunConfigPlace, check_op_config


def check_default_config(config: Mapping[str, object], *, op: dg.OpDefinition, place: RunConfigPlace) -> list[Problem]:
    """What *op* does not take of *config*; what it needs beside that may come when a run is launched."""
    if not isinstance(op.config_schema, DefinitionConfigSchema):
        return [_takes_none(place, "the code gives it its config already, by 'configured'")]
    if _is_anything(op) and not _can_read_config(op):
        return [_takes_none(place, "its function has no parameter 'config', and no 'context' to read config from")]
    return list(check_op_config(config, config_type=_with_optional_fields(_config_type(op)), place=place))


def with_default_config(op: dg.OpDefinition, config: Mapping[str, object]) -> DefinitionConfigSchema:
    """The config schema of *op* with the values of *config* as defaults.

    Every value is the default of its own field, so run config that sets one of them leaves the others.
    """
    return with_defaults(op.config_schema, config)


def with_defaults(schema: IDefinitionConfigSchema, config: Mapping[str, object]) -> DefinitionConfigSchema:
    """The same for the config schema of an op or graph."""
    return DefinitionConfigSchema(_with_default(schema.as_field(), config))


def _with_default(field: dg.Field | None, value: object) -> dg.Field:
    if field is None:  # a key beside those that a permissive shape names
        return dg.Field(dg.Any, default_value=value, is_required=False)
    if ConfigTypeKind.is_shape(field.config_type.kind) and isinstance(value, Mapping):
        before = field.default_value if field.default_provided else None
        values = {**(before if isinstance(before, Mapping) else {}), **value}
        shape = _shape_with_defaults(field.config_type, values)
        return dg.Field(shape, description=field.description, is_secret=field.is_secret)
    return dg.Field(
        field.config_type,
        default_value=value,
        is_required=False,
        description=field.description,
        is_secret=field.is_secret,
    )


def _shape_with_defaults(shape: ConfigType, values: Mapping[str, object]) -> ConfigType:
    names = {alias: name for name, alias in getattr(shape, "field_aliases", {}).items()}
    fields = _fields_of(shape)
    for key, value in values.items():
        name = names.get(key, key)
        fields[name] = _with_default(fields.get(name), value)
    return _shape_like(shape, fields)


def _with_optional_fields(config_type: ConfigType) -> ConfigType:
    """The type of a part of what *config_type* asks for."""
    if not ConfigTypeKind.is_shape(config_type.kind):
        return config_type
    fields = {
        name: dg.Field(_with_optional_fields(field.config_type), is_required=False)
        for name, field in _fields_of(config_type).items()
    }
    return _shape_like(config_type, fields)


def _fields_of(shape: ConfigType) -> dict[str, dg.Field]:
    return dict(cast("Mapping[str, dg.Field]", getattr(shape, "fields", {})))


def _shape_like(shape: ConfigType, fields: Mapping[str, dg.Field]) -> ConfigType:
    if shape.kind is ConfigTypeKind.PERMISSIVE_SHAPE:
        return dg.Permissive(fields, shape.description)  # type: ignore[no-untyped-call]  # has no annotations
    return dg.Shape(fields, shape.description, getattr(shape, "field_aliases", None))  # type: ignore[no-untyped-call]


def _config_type(op: dg.OpDefinition) -> ConfigType:
    return op.config_schema.as_field().config_type


def _is_anything(op: dg.OpDefinition) -> bool:
    return _config_type(op).kind is ConfigTypeKind.ANY


def _can_read_config(op: dg.OpDefinition) -> bool:
    return not isinstance(op.compute_fn, DecoratedOpFunction) or op.compute_fn.has_context_arg()


def _takes_none(place: RunConfigPlace, why: str) -> Problem:
    return Problem(
        "FLOE-353",
        f"{place.subject} takes no config",
        place.source.locate(*place.path, place.config_key),
        why=why,
        fix="add a parameter 'config' of a class derived from dagster.Config, or delete it here",
    )
