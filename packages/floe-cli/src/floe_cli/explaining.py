"""What decides each field of an asset, as plain rows: `floe list assets --explain`."""

import dagster as dg

from floe_dagster.asset_settings.explanation import AssetOrigin, FieldExplanation, explain_asset, find_asset
from floe_dagster.asset_settings.patterns import NOTHING_SET, SettingPlace
from floe_dagster.loading import LoadedProject


def explain_asset_fields(loaded: LoadedProject, name: str) -> dict[str, object]:
    """The fields of one asset with what decides each.

    Args:
        loaded: The project.
        name: The asset's key, or the last part of it where no other key ends so.

    Raises:
        SelectionError: No asset has that name, or several.
    """
    key = find_asset(name, loaded.index)
    node = loaded.index.nodes[key]
    definition = loaded.definitions.resolve_assets_def(dg.AssetKey(key))
    group = loaded.group_places.get(key)
    origin = AssetOrigin(
        definition if node.executable else None,
        place=node.origin,
        group_place=f"{group} {group.yaml_path}" if group else "",
    )
    settings = loaded.settings.of(key) if node.executable else NOTHING_SET
    explained = explain_asset(definition.get_asset_spec(dg.AssetKey(key)), settings, origin)
    return {
        "key": node.label,
        "origin": node.origin or None,
        "external": not node.executable,
        "fields": [_row(field) for field in explained],
    }


def _row(field: FieldExplanation) -> dict[str, object]:
    place = field.decided_by
    location = place.location if isinstance(place, SettingPlace) else None
    return {
        "field": field.name,
        "value": field.value,
        "decided_by": None if place is None else str(place),
        "pattern": place.pattern if isinstance(place, SettingPlace) else None,
        "file": location.file if location else None,
        "line": location.line if location else None,
        "column": location.column if location else None,
        "yaml_path": location.yaml_path if location else None,
    }
