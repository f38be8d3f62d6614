"""What selections, patterns and sensors ask about assets, answered without building Dagster's asset graph."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias, TypeVar

import dagster as dg

KeyPath: TypeAlias = tuple[str, ...]
_Label = TypeVar("_Label")

DEFAULT_GROUP = "default"
_KIND_TAG_PREFIX = "dagster/kind/"


@dataclass(frozen=True, slots=True)
class AssetNode:
    """One asset as a selection sees it: plain data, nothing of Dagster."""

    key: KeyPath
    group: str = DEFAULT_GROUP
    tags: Mapping[str, str] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()
    owners: tuple[str, ...] = ()
    deps: frozenset[KeyPath] = frozenset()
    executable: bool = True  # Dagster can materialise or observe it
    materializable: bool = True
    origin: str = ""

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key[-1]

    @property
    def label(self) -> str:
        """The key as messages write it: ``bronze/customers``."""
        return "/".join(self.key)


class AssetIndex:
    """Assets by key, name, group, tag, kind and owner, and their neighbours; built in linear time.

    Every ``by_…`` map gives the keys in the order of the assets. ``upstream`` and ``downstream`` hold known assets
    only and no asset as its own neighbour; ``node.deps`` holds what the code says.
    """

    def __init__(self, nodes: Iterable[AssetNode]) -> None:
        self.nodes: Mapping[KeyPath, AssetNode] = MappingProxyType({node.key: node for node in nodes})
        known = self.nodes.values()
        self.by_name = _grouped((node.name, node.key) for node in known)
        self.by_group = _grouped((node.group, node.key) for node in known)
        self.by_kind = _grouped((kind, node.key) for node in known for kind in node.kinds)
        self.by_owner = _grouped((owner, node.key) for node in known for owner in node.owners)
        self.by_tag = _grouped((tag, node.key) for node in known for tag in node.tags)
        self.by_tag_value = _grouped((pair, node.key) for node in known for pair in node.tags.items())
        self.upstream: Mapping[KeyPath, tuple[KeyPath, ...]] = MappingProxyType(
            {
                node.key: tuple(sorted(dep for dep in node.deps if dep in self.nodes and dep != node.key))
                for node in known
            }
        )
        self.downstream = _grouped((dep, key) for key, deps in self.upstream.items() for dep in deps)

    @classmethod
    def from_assets(
        cls,
        assets: Iterable[dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset],
        *,
        origins: Mapping[KeyPath, str] = MappingProxyType({}),
    ) -> "AssetIndex":
        """Index *assets*; asset checks among them are passed over.

        Args:
            assets: As ``dg.Definitions(assets=…)`` takes them. Of two with one key the last counts.
            origins: Where an asset comes from, as messages say it: a module, a file and line, a dbt node.
        """
        return cls(node for asset in assets for node in _nodes_of(asset, origins=origins))

    def ancestors(self, keys: Iterable[KeyPath], *, depth: int | None = None) -> frozenset[KeyPath]:
        """The known assets among *keys* and all that is upstream of them, at most *depth* steps away."""
        return self._reachable(keys, self.upstream, depth=depth)

    def descendants(self, keys: Iterable[KeyPath], *, depth: int | None = None) -> frozenset[KeyPath]:
        """The known assets among *keys* and all that is downstream of them, at most *depth* steps away."""
        return self._reachable(keys, self.downstream, depth=depth)

    def _reachable(
        self, keys: Iterable[KeyPath], neighbours: Mapping[KeyPath, tuple[KeyPath, ...]], *, depth: int | None
    ) -> frozenset[KeyPath]:
        seen = {key for key in keys if key in self.nodes}
        waiting = deque((key, 0) for key in seen)
        while waiting:
            key, distance = waiting.popleft()
            if distance == depth:
                continue
            new = [neighbour for neighbour in neighbours.get(key, ()) if neighbour not in seen]
            seen.update(new)
            waiting.extend((neighbour, distance + 1) for neighbour in new)
        return frozenset(seen)


def find_cycle(index: AssetIndex) -> tuple[KeyPath, ...]:
    """The keys of one cycle, each depending on the one before it, the first repeated at the end; empty without one.

    An asset that depends on itself is no cycle: Dagster allows that between partitions. Of several cycles the one
    that is met first in the order of the assets is given.
    """
    finished: set[KeyPath] = set()
    for start in index.nodes:
        path: dict[KeyPath, Iterator[KeyPath]] = {start: iter(index.downstream.get(start, ()))}
        while path and start not in finished:
            key, following = next(reversed(path.items()))
            neighbour = next((candidate for candidate in following if candidate not in finished), None)
            if neighbour is None:
                finished.add(key)
                path.popitem()
            elif neighbour in path:
                keys = list(path)
                return (*keys[keys.index(neighbour) :], neighbour)
            else:
                path[neighbour] = iter(index.downstream.get(neighbour, ()))
    return ()


def _nodes_of(
    asset: dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset, *, origins: Mapping[KeyPath, str]
) -> Iterator[AssetNode]:
    match asset:
        case dg.AssetsDefinition():
            for spec in asset.specs:
                yield _node_of(spec, asset.is_executable, materializable=asset.is_materializable, origins=origins)
        case dg.AssetSpec():
            yield _node_of(asset, executable=False, materializable=False, origins=origins)
        case dg.SourceAsset():
            spec = dg.AssetSpec(asset.key, group_name=asset.group_name, tags=asset.tags)
            yield _node_of(spec, asset.is_executable, materializable=False, origins=origins)


def _node_of(
    spec: dg.AssetSpec, executable: bool, *, materializable: bool, origins: Mapping[KeyPath, str]
) -> AssetNode:
    key = tuple(spec.key.path)
    tags: dict[str, str] = {}
    kinds: set[str] = set()
    for tag, value in spec.tags.items():
        if tag.startswith(_KIND_TAG_PREFIX):
            kinds.add(tag.removeprefix(_KIND_TAG_PREFIX))
        else:
            tags[tag] = value
    return AssetNode(
        key=key,
        group=spec.group_name or DEFAULT_GROUP,
        tags=tags,
        kinds=frozenset(kinds),
        owners=tuple(spec.owners),
        deps=frozenset(tuple(dep.asset_key.path) for dep in spec.deps),
        executable=executable,
        materializable=materializable,
        origin=origins.get(key, ""),
    )


def _grouped(pairs: Iterable[tuple[_Label, KeyPath]]) -> Mapping[_Label, tuple[KeyPath, ...]]:
    groups: dict[_Label, list[KeyPath]] = {}
    for label, key in pairs:
        groups.setdefault(label, []).append(key)
    return MappingProxyType({label: tuple(keys) for label, keys in groups.items()})
