"""What jobs, schedules and whatever else launches runs have to know of the assets and of one another."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from floe_core.errors import LoadError, Location, Problem, ProblemCollector
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.partitioning.texts import describe_partitions
from floe_dagster.selection.asset_index import AssetIndex, KeyPath
from floe_dagster.selection.resolution import Keys, SelectionPlace, resolve_selection
from floe_dagster.user_code.resource_parameters import why_resource


@dataclass(frozen=True)
class Launchable:
    """A job and what those who launch it need to know.

    Of a job that a Python module defines over assets, neither the assets nor the partitions are known before Dagster
    resolves it: `keys` is None and `partitions_known` is false.
    """

    job: dg.JobDefinition | UnresolvedAssetJobDefinition
    partitions_def: dg.PartitionsDefinition | None = None
    partitions_known: bool = True
    keys: Keys | None = None

    @classmethod
    def of_python(cls, job: dg.JobDefinition | UnresolvedAssetJobDefinition) -> "Launchable":
        """A job that a Python module defines."""
        if isinstance(job, dg.JobDefinition):
            return cls(job, job.partitions_def)
        return cls(job, job.partitions_def, partitions_known=job.partitions_def is not None)


@dataclass(frozen=True)
class LaunchableAssets:
    """All assets, as selections see them and as Dagster has them.

    Args:
        index: All assets.
        definitions: What computes each asset and what checks it.
        node_names: The names of all ops and graphs, those inside of graphs too, with what uses them.
        partitions: The partitioned assets with their partitions definitions.
        conditions: The assets that an automation condition materialises.
        partition_places: Where the partitions of assets are set, as messages say it.
    """

    index: AssetIndex
    definitions: Mapping[KeyPath, Sequence[dg.AssetsDefinition]] = field(default_factory=dict)
    node_names: Mapping[str, dg.AssetsDefinition] = field(default_factory=dict)
    partitions: Mapping[KeyPath, dg.PartitionsDefinition] = field(default_factory=dict)
    conditions: frozenset[KeyPath] = frozenset()
    partition_places: Mapping[KeyPath, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        index: AssetIndex,
        definitions: Iterable[dg.AssetsDefinition],
        *,
        partition_places: Mapping[KeyPath, str] = MappingProxyType({}),
    ) -> "LaunchableAssets":
        """The assets of *index*, with the definitions of the assets and of their checks."""
        by_key: dict[KeyPath, list[dg.AssetsDefinition]] = {}
        node_names: dict[str, dg.AssetsDefinition] = {}
        partitions: dict[KeyPath, dg.PartitionsDefinition] = {}
        conditions: set[KeyPath] = set()
        for definition in definitions:
            if not definition.is_executable:
                continue
            node_names.update((node.name, definition) for node in definition.node_def.iterate_node_defs())
            checked = {check.asset_key for check in definition.check_keys}
            for key in {*definition.keys, *checked}:
                by_key.setdefault(tuple(key.path), []).append(definition)
            for spec in definition.specs:
                if spec.partitions_def is not None:
                    partitions[tuple(spec.key.path)] = spec.partitions_def
                if spec.automation_condition is not None:
                    conditions.add(tuple(spec.key.path))
        return cls(index, by_key, node_names, partitions, frozenset(conditions), partition_places)

    def ops_of(self, keys: Iterable[KeyPath]) -> dict[str, dg.AssetsDefinition]:
        """The ops that a run over *keys* may have, those of asset checks among them."""
        found = (definition for key in keys for definition in self.definitions.get(key, ()))
        return {definition.node_def.name: definition for definition in found}

    def by_partitions(self, keys: Iterable[KeyPath]) -> list[tuple[dg.PartitionsDefinition, list[KeyPath]]]:
        """The different partitions definitions of *keys*, each with its assets."""
        found: list[tuple[dg.PartitionsDefinition, list[KeyPath]]] = []
        for key in sorted(key for key in keys if key in self.partitions):
            partitions_def = self.partitions[key]
            same = next((group for other, group in found if other is partitions_def or other == partitions_def), None)
            if same is None:
                found.append((partitions_def, [key]))
            else:
                same.append(key)
        return found


def select_launched(
    items: Sequence[str], *, exclude: Sequence[str] = (), assets: LaunchableAssets, place: SelectionPlace
) -> tuple[Keys, dg.PartitionsDefinition | None]:
    """The assets that runs over a selection materialise, and the partitions definition that those with partitions have.

    Raises:
        SelectionError: As `resolve_selection`.
        LoadError: The assets have several partitions definitions, or one function makes some of them together with
            others and cannot leave those out. All problems at once.
    """
    keys = resolve_selection(items, exclude=exclude, index=assets.index, place=place)
    location = place.source.locate(*place.items)
    problems = ProblemCollector(_parts_of_wholes(keys, place.subject, location, assets))
    found = assets.by_partitions(keys)
    if len(found) > 1:
        problems.add(_several_partitions(found, place.subject, location, assets))
    problems.raise_if_any(LoadError)
    return keys, found[0][0] if found else None


def check_asked_resources(
    asked: Collection[str],
    *,
    who: str,
    resources: Collection[str] | None,
    location: Location,
    fn: Callable[..., object] | None = None,
) -> Iterator[Problem]:
    """The resources among *asked* that do not exist; nothing where it is not known which exist.

    Args:
        asked: Keys of resources.
        who: Who asks, as messages begin.
        resources: Keys of all resources.
        location: Where the document names who asks.
        fn: The plain function whose parameters ask, if it is one.
    """
    if resources is None:
        return
    for key in sorted(set(asked) - set(resources)):
        yield Problem(
            "FLOE-374",
            f"{who} asks for the resource '{key}', which does not exist",
            location,
            why=f"{why_resource(key, fn)}; there are {list_names(sorted(resources))}",
            fix=did_you_mean(key, resources)
            or f"{'delete the parameter, or ' if fn is not None else ''}define it under 'resources' in platform.yaml",
        )


def _parts_of_wholes(keys: Keys, subject: str, location: Location, assets: LaunchableAssets) -> Iterator[Problem]:
    """The functions that make selected assets with others and cannot be told to leave those out."""
    for name, definition in sorted(assets.ops_of(keys).items()):
        made = {tuple(key.path) for key in definition.keys}
        selected, missing = sorted(made & keys), sorted(made - keys)
        if selected and missing and not definition.can_subset:
            lacking = list_names("/".join(key) for key in missing)
            yield Problem(
                "FLOE-350",
                f"{subject} selects {list_names('/'.join(key) for key in selected)} without {lacking}",
                location,
                why=f"'{name}' makes all of them at once and cannot leave one out",
                fix=f"select {lacking}, too, or none of them; or let '{name}' make what is asked for: can_subset=True",
            )


def _several_partitions(
    found: Sequence[tuple[dg.PartitionsDefinition, Sequence[KeyPath]]],
    subject: str,
    location: Location,
    assets: LaunchableAssets,
) -> Problem:
    shown = (
        f"{list_names('/'.join(key) for key in group)}: {describe_partitions(partitions_def)}{_set_at(group, assets)}"
        for partitions_def, group in found
    )
    return Problem(
        "FLOE-351",
        f"{subject} selects assets with {len(found)} different partitions definitions",
        location,
        detail="\n".join(shown),
        why="in Dagster all partitioned assets of a run have one partitions definition",
        fix="make a job for each of them",
    )


def _set_at(keys: Iterable[KeyPath], assets: LaunchableAssets) -> str:
    places = dict.fromkeys(place for key in keys if (place := assets.partition_places.get(key)))
    return f" ({list_names(places, limit=3)})" if places else ""
