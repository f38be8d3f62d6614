"""Whether the partitions of assets can be led to those of the assets that they depend on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import dagster as dg
from dagster._check import CheckError
from dagster._core.definitions.partitions.utils import infer_partition_mapping
from dagster._utils.warnings import disable_dagster_warnings

from floe_core.errors import Location, Problem
from floe_core.suggestions import list_names
from floe_dagster.asset_settings.patterns import AssetSettings
from floe_dagster.partitioning.texts import describe_partitions
from floe_dagster.selection.asset_index import KeyPath

_KINDS: Mapping[type[dg.PartitionsDefinition], str] = {
    dg.TimeWindowPartitionsDefinition: "time windows",
    dg.StaticPartitionsDefinition: "fixed keys",
    dg.DynamicPartitionsDefinition: "dynamic keys",
    dg.MultiPartitionsDefinition: "pairs of keys",
}


def check_upstream_partitions(
    specs: Iterable[dg.AssetSpec], *, settings: AssetSettings, origins: Mapping[KeyPath, str]
) -> Iterator[Problem]:
    """What Dagster would refuse, or what could not be materialised, for want of upstream partitions.

    Assets between the same definitions make one problem.

    Args:
        specs: All assets that Dagster can materialize.
        settings: What floe.yaml sets.
        origins: Where assets are defined.
    """
    specs_by_key = {spec.key: spec for spec in specs}
    found: dict[tuple[int, int], list[list[_Link]]] = {}
    for spec in specs_by_key.values():
        for dep in spec.deps:
            upstream = specs_by_key.get(dep.asset_key)
            if upstream is None or upstream.partitions_def is None or upstream.partitions_def is spec.partitions_def:
                continue
            link = _Link(spec, upstream, dep.partition_mapping)
            groups = found.setdefault((id(spec.partitions_def), id(upstream.partitions_def)), [])
            likewise = next((group for group in groups if group[0].maps_like(link)), None)
            if likewise is None:
                groups.append([link])
            else:
                likewise.append(link)
    places = _Places(settings, origins)
    with disable_dagster_warnings():  # some mappings are in beta
        for links in chain.from_iterable(found.values()):
            yield from links[0].check(links, places)


@dataclass(frozen=True)
class _Places:
    """Where the partitions of assets come from."""

    settings: AssetSettings
    origins: Mapping[KeyPath, str]

    def describe(self, spec: dg.AssetSpec) -> str:
        key = tuple(spec.key.path)
        place = self.settings.of(key).places.get("partitions") or self.origins.get(key)
        where = f" ({place})" if place else ""
        return f"{spec.key.to_user_string()}: {describe_partitions(spec.partitions_def)}{where}"


@dataclass(frozen=True)
class _Link:
    """A dependency of an asset on another one that has partitions."""

    downstream: dg.AssetSpec
    upstream: dg.AssetSpec
    mapping: dg.PartitionMapping | None

    def maps_like(self, other: "_Link") -> bool:
        """Whether both have equal mappings; of two kinds that hold nothing, Dagster's equality says yes."""
        return type(self.mapping) is type(other.mapping) and self.mapping == other.mapping

    def check(self, links: list["_Link"], places: _Places) -> Iterator[Problem]:
        downstream, upstream = self.downstream.partitions_def, self.upstream.partitions_def
        assert upstream is not None
        mapping = infer_partition_mapping(self.mapping, downstream, upstream)
        try:
            mapping.validate_partition_mapping(upstream, downstream)
        except (dg.DagsterError, CheckError, ValueError) as error:
            yield self.refused(error, links, places)
            return
        lacking = _keys_without_upstream(mapping, downstream, upstream)
        if lacking:
            yield self.lacks(lacking, links, places)

    def refused(self, error: Exception, links: list["_Link"], places: _Places) -> Problem:
        downstream, upstream = _kind(self.downstream.partitions_def), _kind(self.upstream.partitions_def)
        why = f"Dagster refuses it: {error}"
        if self.mapping is None and downstream != upstream:
            why = f"{downstream} depend on {upstream}, and Dagster cannot tell by itself which of them belong together"
        return Problem(
            "FLOE-383",
            f"the partitions of asset '{self.shown}' do not lead to those of upstream asset '{self.shown_upstream}'",
            self.locate(places),
            why=why,
            detail=self.describe(links, places),
            fix="give both the same partitions, or write a partition mapping in the asset's 'deps'",
        )

    def lacks(self, keys: list[str], links: list["_Link"], places: _Places) -> Problem:
        return Problem(
            "FLOE-384",
            f"asset '{self.shown}' has partitions that upstream asset '{self.shown_upstream}' does not have",
            self.locate(places),
            why=f"there is none for {list_names(keys, limit=4)}: Dagster's backfills refuse these, and an asset that "
            "loads the other one's value fails",
            detail=self.describe(links, places),
            fix="give both the same partitions, or write a partition mapping in the asset's 'deps'",
            severity="warning",
        )

    @property
    def shown(self) -> str:
        return self.downstream.key.to_user_string()

    @property
    def shown_upstream(self) -> str:
        return self.upstream.key.to_user_string()

    def describe(self, links: list["_Link"], places: _Places) -> str:
        lines = [places.describe(self.downstream), places.describe(self.upstream)]
        if len(links) > 1:
            others = (f"{link.shown} on {link.shown_upstream}" for link in links[1:])
            lines.append(f"likewise: {list_names(others, limit=4)}")
        return "\n".join(lines)

    def locate(self, places: _Places) -> Location | None:
        for spec in (self.downstream, self.upstream):
            place = places.settings.of(tuple(spec.key.path)).places.get("partitions")
            if place is not None:
                return place.location
        return None


def _keys_without_upstream(
    mapping: dg.PartitionMapping, downstream: dg.PartitionsDefinition | None, upstream: dg.PartitionsDefinition
) -> list[str]:
    """Partitions that ask for upstream partitions that will never be; the first of those that come before a start."""
    match mapping, downstream, upstream:
        case dg.IdentityPartitionMapping(), dg.StaticPartitionsDefinition(), dg.StaticPartitionsDefinition():
            known = set(upstream.get_partition_keys())
            return [key for key in downstream.get_partition_keys() if key not in known]
        case (
            dg.TimeWindowPartitionMapping(start_offset=0, allow_nonexistent_upstream_partitions=False),
            dg.TimeWindowPartitionsDefinition(),
            dg.TimeWindowPartitionsDefinition(),
        ):
            first, begin = downstream.get_first_partition_window(), upstream.get_first_partition_window()
            is_early = first is not None and begin is not None and first.start < begin.start
            return [str(downstream.get_first_partition_key())] if is_early else []
        case _:
            return []


def _kind(partitions_def: dg.PartitionsDefinition | None) -> str:
    return next((name for kind, name in _KINDS.items() if isinstance(partitions_def, kind)), "partitions")
