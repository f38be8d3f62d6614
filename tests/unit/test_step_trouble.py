"""What goes wrong while a step is observed is said once, and costs the step nothing."""

from collections.abc import Iterator

import dagster as dg
import pytest

from floe_dagster import floe_asset
from floe_dagster.observability.runs import trace_marks
from floe_dagster.observability.runs.nesting import nest_user_spans


@floe_asset
def orders() -> dict[str, int]:
    return {"rows": 3}


@dg.multi_asset(specs=[dg.AssetSpec("left"), dg.AssetSpec("right")])
def sides() -> Iterator[dg.MaterializeResult[None]]:
    yield dg.MaterializeResult("left")
    yield dg.MaterializeResult("right")


def test_trouble_is_said_once_in_the_log_of_the_run(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise LookupError("no executor")

    monkeypatch.setattr(trace_marks, "observed_settings", broken)
    nest_user_spans(dg.Definitions(assets=[orders, sides]))

    result = dg.materialize([orders, sides], instance=instance)

    said = [entry.user_message for entry in instance.all_logs(result.run_id) if "traces: " in entry.user_message]
    assert said == ["traces: what the step makes does not name its trace: LookupError: no executor"]
    assert {event.asset_key for event in result.get_asset_materialization_events()} == {
        dg.AssetKey("orders"),
        dg.AssetKey("left"),
        dg.AssetKey("right"),
    }
