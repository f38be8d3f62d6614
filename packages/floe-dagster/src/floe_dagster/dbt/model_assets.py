"""Specs of dbt nodes → Dagster assets that dbt builds."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias, cast

import dagster as dg

from floe_dagster.observability.runs.step_contents import OBSERVABILITY_TAG
from floe_dagster.observability.runs.trace_marks import marked_events, trace_metadata
from floe_dagster.user_code.tracebacks import UsersTraceback

DbtEvent: TypeAlias = (
    "dg.Output[object] | dg.AssetMaterialization | dg.AssetCheckResult | dg.AssetObservation | dg.AssetCheckEvaluation"
)
Fetch: TypeAlias = Literal["row_counts", "column_metadata"]
ObservabilityLevel: TypeAlias = Literal["per_model", "job_level"]

DBT_RESOURCE_KEY = "dbt"
SELECT_TAG, EXCLUDE_TAG, SELECTOR_TAG = "dagster_dbt/select", "dagster_dbt/exclude", "dagster_dbt/selector"
PART_TAG = "floe/dbt_part"
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


class HasManifest(Protocol):
    """What specs carry in place of a manifest."""

    manifest: Mapping[str, object]


class RunsDbtTests(Protocol):
    """What checks on their own ask of the resource `dbt`."""

    def cli(
        self,
        args: Sequence[str],
        *,
        context: dg.OpExecutionContext,
        manifest: Mapping[str, object],
        dagster_dbt_translator: object,
    ) -> DbtInvocation:
        """Start dbt with *args* and the checks of *context*."""


def create_dbt_assets_with_per_model_observability(
    specs: Sequence[dg.AssetSpec],
    check_specs: Sequence[dg.AssetCheckSpec] = (),
    *,
    name: str,
    select: str = EVERYTHING,
    exclude: str = "",
    selector: str = "",
    is_part: bool = False,
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
        is_part: Whether other ops build the rest of the dbt project. Then each runs exactly the tests that are checks
            of its own, where otherwise dbt adds all that read one of its models.
        fetch: What is asked of the database after each model.
        observability_level: Whether spans and lineage events are per model or per dbt call.
        backfill_policy: By default each partition has a run of its own, as other assets of Dagster have it.
        retry_policy: Of the op.
        pool: Of the op.
    """
    keys = {spec.key for spec in specs}
    tags = {
        SELECT_TAG: select,
        EXCLUDE_TAG: exclude,
        SELECTOR_TAG: selector,
        OBSERVABILITY_TAG: observability_level,
        PART_TAG: "true" if is_part else "",
    }
    decorate = dg.multi_asset(
        name=name,
        specs=specs,
        check_specs=[check for check in check_specs if check.asset_key in keys],
        can_subset=True,
        required_resource_keys={DBT_RESOURCE_KEY},
        op_tags={tag: value for tag, value in tags.items() if value},
        backfill_policy=backfill_policy,
        retry_policy=retry_policy,
        pool=pool,
        allow_arbitrary_check_specs=True,
    )
    return decorate(_build_body(tuple(fetch)))


def build_dbt_checks(
    check_specs: Sequence[dg.AssetCheckSpec],
    spec: dg.AssetSpec,
    *,
    name: str,
    exclude: str = "",
    observability_level: ObservabilityLevel = "per_model",
) -> dg.AssetChecksDefinition:
    """An op that runs dbt tests and builds nothing.

    Args:
        check_specs: The tests.
        spec: Any asset of the same dbt project.
        name: Name of the op.
        exclude: dbt selection of what is left out.
        observability_level: See `create_dbt_assets_with_per_model_observability`.
    """
    wrapper, translator = spec.metadata["dagster_dbt/manifest"], spec.metadata["dagster_dbt/dagster_dbt_translator"]

    def run_tests(context: dg.OpExecutionContext) -> Iterator[DbtEvent]:
        dbt = cast("RunsDbtTests", getattr(context.resources, DBT_RESOURCE_KEY))
        manifest = cast("HasManifest", wrapper).manifest
        call = dbt.cli(["build"], context=context, manifest=manifest, dagster_dbt_translator=translator)
        with UsersTraceback():
            yield from call.stream()

    tags = {EXCLUDE_TAG: exclude, OBSERVABILITY_TAG: observability_level, PART_TAG: "true"}
    decorate = dg.multi_asset_check(
        name=name,
        specs=check_specs,
        can_subset=True,
        required_resource_keys={DBT_RESOURCE_KEY},
        op_tags={tag: value for tag, value in tags.items() if value},
    )
    return decorate(run_tests)


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
        metadata = trace_metadata(context)
        with UsersTraceback():
            yield from marked_events(events, metadata) if metadata else events

    return build_models
