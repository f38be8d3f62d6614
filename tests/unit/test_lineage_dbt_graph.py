"""Which table a dbt test is about, told in its lineage event."""

import pytest

from floe_dagster.observability.records import NodeEnded, Outcome
from lineage_events import Event, assertions, check_events
from lineage_records import MART, SHOP, STAGED, at, dbt_call, make_events, manifest, node

NAMED = {"dagster": {"ref": {"name": "revenue"}}}


def event_of_test(**given: object) -> Event:
    """The last event of a singular test that reads two models and found one row."""
    same = node("test.shop.same", STAGED["unique_id"], MART["unique_id"], **given)
    call = dbt_call(manifest=manifest(*SHOP["sources"].values(), *SHOP["nodes"].values(), same))
    events = make_events([NodeEnded(call, "test.shop.same", at(1), at(2), Outcome.FAILED, "fail", failures=1)])
    check_events(events)
    return events[1]


@pytest.mark.parametrize("given", [{"config": {"meta": NAMED}}, {"config": {}, "meta": NAMED}])
def test_a_test_of_several_tables_is_about_the_one_that_dagster_attaches_it_to(given: dict[str, object]) -> None:
    event = event_of_test(**given)

    (found,) = assertions(event)["shop.main_silver.revenue"]
    assert (found["success"], found["actual"]) == (False, "1")
    assert "test" not in event["run"]["facets"]


@pytest.mark.parametrize(
    "ref", [{}, {"name": "absent"}, {"name": "revenue", "package": "other"}, {"name": "revenue", "version": 2}]
)
def test_a_test_of_several_tables_that_names_none_of_them_is_told_with_its_run(ref: dict[str, object]) -> None:
    event = event_of_test(config={"meta": {"dagster": {"ref": ref}}})

    assert not assertions(event)
    (found,) = event["run"]["facets"]["test"]["tests"]
    assert (found["status"], found["actual"]) == ("fail", "1")
