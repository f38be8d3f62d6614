"""Ops as their decorators would have made them of other arguments.

They are copies of which some fields are changed. The constructor would inspect the function once more, which takes as
long as all else that is done to an asset; that the copies equal what a decorator makes is what the tests hold.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import TypeVar

import dagster as dg
from dagster._core.definitions.metadata import normalize_metadata
from dagster._core.definitions.node_definition import NodeDefinition
from dagster._core.definitions.output import OutputDefinition

from floe_dagster.asset_settings.op_config import with_default_config
from floe_dagster.asset_settings.op_fields import OpSettings

_Definition = TypeVar("_Definition", dg.OpDefinition, OutputDefinition)


def alter_node(definition: dg.AssetsDefinition, specs: Sequence[dg.AssetSpec], settings: OpSettings) -> NodeDefinition:
    """The op of *definition* with *settings*, and with what its outputs have of *specs*; a graph stays as it is."""
    op = definition.node_def
    if not isinstance(op, dg.OpDefinition):
        return op
    outputs = _alter_outputs(definition, specs)
    fields: dict[str, object] = {
        "retry_policy": settings.retry_policy,
        "pool": settings.pool,
        "config_schema": None if settings.config is None else with_default_config(op, settings.config),
    }
    if outputs:
        fields["output_dict"] = {**op.output_dict, **outputs}
        fields["output_defs"] = [outputs.get(output.name, output) for output in op.output_defs]
    if len(specs) == 1 and specs[0].description != definition.get_asset_spec(specs[0].key).description:
        fields["description"] = specs[0].description
    return _altered(op, {name: value for name, value in fields.items() if value is not None})


def _alter_outputs(definition: dg.AssetsDefinition, specs: Sequence[dg.AssetSpec]) -> dict[str, OutputDefinition]:
    altered: dict[str, OutputDefinition] = {}
    names = {key: name for name, key in definition.node_keys_by_output_name.items()}
    for spec in specs:
        before = definition.get_asset_spec(spec.key)
        fields: dict[str, object] = {
            name: getattr(spec, name)
            for name in ("description", "code_version", "metadata")
            if getattr(spec, name) is not getattr(before, name)
        }
        if "metadata" in fields:
            fields |= {"raw_metadata": spec.metadata, "metadata": normalize_metadata(spec.metadata, allow_invalid=True)}
        if fields:
            altered[names[spec.key]] = _altered(definition.node_def.output_def_named(names[spec.key]), fields)
    return altered


def _altered(definition: _Definition, fields: Mapping[str, object]) -> _Definition:
    if not fields:
        return definition
    altered = copy.copy(definition)
    vars(altered).update({f"_{name}": value for name, value in fields.items()})
    return altered
