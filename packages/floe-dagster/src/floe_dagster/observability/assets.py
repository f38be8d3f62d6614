"""What lineage knows of the Python assets of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from floe_dagster.observability.records import KeyPath


@dataclass(frozen=True, slots=True)
class KnownAsset:
    """One asset, as its definition has it.

    Args:
        key: The asset's key.
        inputs: Tables of the catalog that it reads.
        outputs: Tables of the catalog that it writes.
        deps: Keys of the assets that it depends on.
        external_table: Of an asset that nothing here writes, the table of the catalog that it stands for.
        is_external: Whether nothing here writes it.
        description: What the definition says about it.
        owners: Mail addresses and `team:…`.
        tags: The asset's tags.
        kinds: What it is computed with.
        code: File and line of the function that computes it.
    """

    key: KeyPath
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    deps: Sequence[KeyPath] = ()
    external_table: str | None = None
    is_external: bool = False
    description: str = ""
    owners: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    kinds: Sequence[str] = ()
    code: tuple[str, int | None] | None = None


KnownAssets: TypeAlias = Mapping[KeyPath, KnownAsset]
"""Asset key → what is known of it."""
