"""Specs of dbt nodes → Dagster assets that dbt builds."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol, TypeAlias, cast

import dagster as dg

DbtEvent: TypeAlias = (
    "dg.Output[object] | dg.AssetMaterialization | dg.AssetCheckResult | dg.AssetObservation | dg.AssetCheckEvaluation"
)
Fetch: TypeAlias = Literal["row_counts", "column_metadata"]
ObservabilityLevel: TypeAlias = Literal["per_model", "job_level"]

DBT_RESOURCE_KEY = "dbt"
SELECT_TAG, EXCLUDE_TAG, SELECTOR_TAG = "dagster_dbt/select", "dagster_dbt/exclude", "dagster_dbt/selector"
EVERYTHING = "fqn:*"


class DbtEvents(Iterator[DbtEvent], Protocol):
    """The stream of a dbt call, as dagster-dbt's `DbtEventIterator`."""

    def fetch_row_counts(self) -> "DbtEvents":
        """The same events, with the rows of each table."""

    def fetch_column_metadata(self) -> "DbtEvents":
        """The same events, with the columns of each relation and where they come from."""


class DbtInvocation(Protocol):
    """A running dbt call."""

    def stream(self) -> DbtEvents:
        """Its events as Dagster's."""


class RunsDbt(Protocol):
    """What the assets ask of the resource `dbt`; also what a fake in a test has to be."""

    def cli(self, args: Sequence[str], *, context: dg.AssetExecutionContext) -> DbtInvocation:
        """Start dbt with *args* and the selection of *context*."""


def create_dbt_assets_with_per_model_observability(
    specs: Sequence[dg.AssetSpec],
    check_specs: Sequence[dg.AssetCheckSpec] = (),
    *,
    name: str,
    select: str = EVERYTHING,
    exclude: str = "",
    selector: str = "",
    fetch: Sequence[Fetch] = (),
    observability_level: ObservabilityLevel = "per_model",
    backfill_policy: dg.BackfillPolicy | None = None,
    retry_policy: dg.RetryPolicy | None = None,
    pool: str | None = None,
) -> dg.AssetsDefinition:
    """One Dagster assets definition that builds *specs* in one dbt call, each an asset with its own status.

    Args:
        specs: One per model, seed or snapshot, as dagster-dbt or the dbt loader makes them, all with the same
            partitions definition.
        check_specs: The dbt tests. Those of assets that are not among *specs* are left out.
        name: Name of the op.
        select: dbt selection of exactly *specs*; so are *exclude* and *selector*.
        exclude: See *select*.
        selector: See *select*.
        fetch: What is asked of the database after each model.
        observability_level: Whether spans and lineage events are per model or per dbt call.
        backfill_policy: By default a range of time windows is built in one call, as `@dbt_assets` has it.
        retry_policy: Of the op.
        pool: Of the op.
    """
    keys = {spec.key for spec in specs}
    tags = {SELECT_TAG: select, EXCLUDE_TAG: exclude, SELECTOR_TAG: selector, "floe/observability": observability_level}
    decorate = dg.multi_asset(
        name=name,
        specs=specs,
        check_specs=[check for check in check_specs if check.asset_key in keys],
        can_subset=True,
        required_resource_keys={DBT_RESOURCE_KEY},
        op_tags={tag: value for tag, value in tags.items() if value},
        backfill_policy=backfill_policy or _default_backfill_policy(specs),
        retry_policy=retry_policy,
        pool=pool,
        allow_arbitrary_check_specs=True,
    )
    return decorate(_build_body(tuple(fetch)))


def op_name(project_name: str, suffix: str = "") -> str:
    """The op's name for a dbt project."""
    return re.sub(r"\W", "_", f"{project_name}_dbt_assets{suffix}")


def _build_body(fetch: tuple[Fetch, ...]) -> Callable[[dg.AssetExecutionContext], Iterator[DbtEvent]]:
    def build_models(context: dg.AssetExecutionContext) -> Iterator[DbtEvent]:
        dbt = cast("RunsDbt", getattr(context.resources, DBT_RESOURCE_KEY))
        events = dbt.cli(["build"], context=context).stream()
        if "row_counts" in fetch:
            events = events.fetch_row_counts()
        if "column_metadata" in fetch:
            events = events.fetch_column_metadata()
        yield from events

    return build_models


def _default_backfill_policy(specs: Sequence[dg.AssetSpec]) -> dg.BackfillPolicy | None:
    partitions = next((spec.partitions_def for spec in specs), None)
    return dg.BackfillPolicy.single_run() if isinstance(partitions, dg.TimeWindowPartitionsDefinition) else None
