"""Automation conditions of floe.yaml in Dagster: what they ask for, tick by tick, and which cannot be built."""

from collections.abc import Iterator
from typing import cast

import dagster as dg
import pytest
from dagster._serdes import deserialize_value
from inline_snapshot import snapshot

from automation_ticks import DAILY, Ticks, asset, condition
from floe_core.automation.vocabulary import CONDITIONS, METHODS, Kind, Signature
from floe_core.errors import FloeError
from floe_core.schemas.asset_config import ConditionFunction
from floe_dagster.automation.conditions import names_assets
from floe_dagster.automation.parts import stored
from floe_dagster.automation.presence import AssetCondition
from plugins.user_project import UserProject


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


RAW = dg.AssetSpec("raw")
FOUR_DAYS = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]


class TestEager:
    @pytest.mark.requirement("010-FR-036")
    def test_an_upstream_that_is_updated_is_followed_once(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks([asset("a"), asset("b", "eager", deps=["a"])], instance)

        before = ticks.tick("2024-01-05T12:00")
        ticks.make("a")
        after = ticks.tick("2024-01-05T12:01")

        assert (before, after, ticks.tick("2024-01-05T12:02")) == ({}, {"b": [""]}, {})

    @pytest.mark.requirement("010-FR-036")
    def test_an_external_upstream_counts_as_present(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks([RAW, asset("a"), asset("b", "eager", deps=["raw", "a"])], instance)

        ticks.tick("2024-01-05T12:00")
        ticks.make("a")

        assert ticks.tick("2024-01-05T12:01") == {"b": [""]}

    def test_dagsters_own_eager_waits_for_the_external_upstream(self, instance: dg.DagsterInstance) -> None:
        @dg.asset(deps=["raw", "a"], automation_condition=dg.AutomationCondition.eager())
        def b() -> None: ...

        ticks = Ticks([RAW, asset("a"), b], instance)
        ticks.tick("2024-01-05T12:00")
        ticks.make("a")

        assert ticks.tick("2024-01-05T12:01") == {}

    def test_an_external_upstream_that_is_reported_is_followed(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks([RAW, asset("b", "eager", deps=["raw"])], instance)

        ticks.tick("2024-01-05T12:00")
        ticks.make("raw")

        assert ticks.tick("2024-01-05T12:01") == {"b": [""]}

    @pytest.mark.requirement("010-FR-036")
    def test_assets_of_a_day_are_asked_for_when_the_day_is_over(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks(
            [
                RAW,
                asset("a", "eager", deps=["raw"], partitions_def=DAILY),
                asset("b", "eager", deps=["a"], partitions_def=DAILY),
            ],
            instance,
        )

        ticks.tick("2024-01-05T12:00")
        asked = ticks.tick("2024-01-06T00:00:30")
        ticks.make_all(asked)

        assert asked == {"a": ["2024-01-05"], "b": ["2024-01-05"]}
        assert [ticks.tick(f"2024-01-06T00:0{minute}") for minute in (1, 2, 3)] == [{}, {}, {}]
        assert ticks.tick("2024-01-07T00:01") == {"a": ["2024-01-06"], "b": ["2024-01-06"]}


class TestOnCron:
    @pytest.mark.requirement("010-FR-037")
    def test_the_word_takes_cron_and_zone_of_the_time_window(self, instance: dg.DagsterInstance) -> None:
        berlin = dg.DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin", hour_offset=6)
        ticks = Ticks([asset("a", "on_cron", partitions_def=berlin)], instance)

        ticks.tick("2024-03-30T12:00+01:00")
        asked = {
            now: ticks.tick(now)
            for now in (
                "2024-03-31T05:59+02:00",  # the clocks went forward in the night
                "2024-03-31T06:00:30+02:00",
                "2024-03-31T06:01+02:00",
                "2024-04-01T06:00:30+02:00",
            )
        }

        assert list(asked.values()) == [{}, {"a": ["2024-03-30"]}, {}, {"a": ["2024-03-31"]}]

    def test_of_two_dimensions_the_time_window_has_the_cron(self, instance: dg.DagsterInstance) -> None:
        regions = dg.StaticPartitionsDefinition(["eu", "us"])
        both = dg.MultiPartitionsDefinition({"date": DAILY, "region": regions})
        ticks = Ticks([asset("a", "on_cron", partitions_def=both)], instance)

        ticks.tick("2024-01-05T12:00")

        assert ticks.tick("2024-01-06T00:00:30") == {"a": ["2024-01-05|eu", "2024-01-05|us"]}

    @pytest.mark.requirement("010-FR-037")
    def test_a_cron_may_be_given_with_its_zone(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks([asset("a", "on_cron('0 6 * * *', 'Asia/Tokyo')")], instance)

        ticks.tick("2024-01-05T20:59:00")

        assert [ticks.tick("2024-01-05T21:00:30"), ticks.tick("2024-01-05T21:01")] == [{"a": [""]}, {}]

    @pytest.mark.requirement("010-FR-037")
    def test_it_waits_for_the_upstreams_that_can_be_updated(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks([RAW, asset("a"), asset("b", "on_cron('@daily')", deps=["raw", "a"])], instance)

        ticks.tick("2024-01-05T23:59")
        too_early = ticks.tick("2024-01-06T00:01")
        ticks.make("a")

        assert (too_early, ticks.tick("2024-01-06T00:02")) == ({}, {"b": [""]})


class TestOnMissing:
    @pytest.mark.requirement("010-FR-038")
    def test_old_partitions_are_asked_for_and_every_new_one(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks([asset("a", "on_missing", partitions_def=DAILY)], instance)

        first = ticks.tick("2024-01-05T12:00")
        ticks.make_all(first)

        assert first == {"a": FOUR_DAYS}
        assert ticks.tick("2024-01-05T12:01") == {}
        assert ticks.tick("2024-01-06T00:01") == {"a": ["2024-01-05"]}

    def test_dagsters_own_leaves_old_partitions_alone(self, instance: dg.DagsterInstance) -> None:
        @dg.asset(partitions_def=DAILY, automation_condition=dg.AutomationCondition.on_missing())
        def a() -> None: ...

        ticks = Ticks([a], instance)

        assert ticks.tick("2024-01-05T12:00") == {}

    @pytest.mark.requirement("010-FR-038")
    def test_nothing_is_asked_for_twice_while_nothing_happens(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks([asset("a", "on_missing", partitions_def=DAILY)], instance)
        ticks.tick("2024-01-05T12:00")

        assert [ticks.tick(f"2024-01-05T12:0{minute}") for minute in (1, 2, 3, 4)] == [{}, {}, {}, {}]

    def test_what_was_there_already_is_left_alone(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks([asset("a", "on_missing", partitions_def=DAILY)], instance)
        ticks.make("a", "2024-01-02", "2024-01-04")

        assert ticks.tick("2024-01-05T12:00") == {"a": ["2024-01-01", "2024-01-03"]}

    def test_what_goes_missing_again_is_asked_for_again(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks([asset("a", "on_missing")], instance)
        ticks.make_all(ticks.tick("2024-01-05T12:00"))
        ticks.tick("2024-01-05T12:01")

        instance.wipe_assets([dg.AssetKey("a")])

        assert ticks.tick("2024-01-05T12:02") == {"a": [""]}

    @pytest.mark.requirement("010-FR-038")
    def test_a_partition_waits_for_its_upstream(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks(
            [RAW, asset("a", partitions_def=DAILY), asset("b", "on_missing", deps=["raw", "a"], partitions_def=DAILY)],
            instance,
        )
        ticks.make("a", "2024-01-02")

        first = ticks.tick("2024-01-05T12:00")
        ticks.make("a", "2024-01-03")

        assert (first, ticks.tick("2024-01-05T12:01")) == ({"b": ["2024-01-02"]}, {"b": ["2024-01-03"]})

    def test_what_depends_on_one_another_is_asked_for_together(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks(
            [
                asset("a", "on_missing", partitions_def=DAILY),
                asset("b", "on_missing", deps=["a"], partitions_def=DAILY),
            ],
            instance,
        )

        asked = ticks.tick("2024-01-05T12:00")
        ticks.make_all(asked)

        assert asked == {"a": FOUR_DAYS, "b": FOUR_DAYS}
        assert [ticks.tick("2024-01-05T12:01"), ticks.tick("2024-01-05T12:02")] == [{}, {}]

    @pytest.mark.requirement("010-FR-038")
    def test_a_partition_whose_run_failed_is_left_to_the_user(self, instance: dg.DagsterInstance) -> None:
        missing = condition("on_missing")

        @dg.asset(partitions_def=DAILY, automation_condition=missing)
        def a(context: dg.AssetExecutionContext) -> None:
            if context.partition_key == "2024-01-03" and "mended" not in context.run.tags:
                raise ValueError("no such day")

        ticks = Ticks([a], instance)
        for day in ticks.tick("2024-01-05T12:00")["a"]:
            dg.materialize([a], partition_key=day, instance=instance, raise_on_error=False)

        later = [ticks.tick("2024-01-05T12:01"), ticks.tick("2024-01-06T00:01")]
        dg.materialize([a], partition_key="2024-01-03", instance=instance, tags={"mended": "yes"})

        assert later == [{}, {"a": ["2024-01-05"]}]
        assert ticks.tick("2024-01-06T00:02") == {}

    def test_failing_runs_of_others_are_left_to_the_user_too(self, instance: dg.DagsterInstance) -> None:
        missing = condition("on_missing")

        @dg.asset(partitions_def=DAILY, automation_condition=missing)
        def a() -> None:
            raise ValueError("no such day")

        ticks = Ticks([a], instance)
        dg.materialize([a], partition_key="2024-01-03", instance=instance, raise_on_error=False)

        assert ticks.tick("2024-01-05T12:00") == {"a": ["2024-01-01", "2024-01-02", "2024-01-04"]}

    def test_what_failed_upstream_is_followed_when_it_is_mended(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks(
            [asset("a", partitions_def=DAILY), asset("b", "on_missing", deps=["a"], partitions_def=DAILY)], instance
        )
        ticks.make("a", "2024-01-03")
        ticks.tick("2024-01-05T12:00")
        ticks.tick("2024-01-05T12:01")

        ticks.make("a", "2024-01-03")

        assert ticks.tick("2024-01-05T12:02") == {"b": ["2024-01-03"]}

    @pytest.mark.requirement("010-FR-038")
    @pytest.mark.parametrize("text", ["on_missing", "on_missing | eager", "eager | on_missing"])
    def test_what_is_under_way_is_waited_for(self, text: str, instance: dg.DagsterInstance) -> None:
        made = asset("a", text, partitions_def=DAILY)
        ticks = Ticks([made], instance)
        run = start_run(instance, made, "2024-01-03")

        asked = ticks.tick("2024-01-05T12:00")
        instance.report_run_canceled(run)

        assert asked == {"a": ["2024-01-01", "2024-01-02", "2024-01-04"]}
        assert ticks.tick("2024-01-05T12:01") == {"a": ["2024-01-03"]}

    def test_what_was_asked_for_and_cancelled_is_left_to_the_user(self, instance: dg.DagsterInstance) -> None:
        made = asset("a", "on_missing", partitions_def=DAILY)
        ticks = Ticks([made], instance)
        ticks.tick("2024-01-05T12:00")
        run = start_run(instance, made, "2024-01-03")
        ticks.tick("2024-01-05T12:01")

        instance.report_run_canceled(run)

        assert [ticks.tick("2024-01-05T12:02"), ticks.tick("2024-01-05T12:03")] == [{}, {}]


def start_run(instance: dg.DagsterInstance, made: dg.AssetsDefinition, partition: str) -> dg.DagsterRun:
    job = dg.Definitions(assets=[made]).resolve_implicit_global_asset_job_def()
    return instance.create_run_for_job(job, tags={"dagster/partition": partition}, asset_selection=made.keys)


EXAMPLES = {
    Kind.ASSET_CONDITION: "missing()",
    Kind.CHECK_CONDITION: "check_failed()",
    Kind.CONDITION: "missing()",
    Kind.CONDITION_OR_NAME: "'missing'",
    Kind.CRON: "'0 6 * * *'",
    Kind.TIME_ZONE: "'Europe/Berlin'",
    Kind.DURATION: "'2d'",
    Kind.FLAG: "True",
    Kind.ASSET_KEY: "'a'",
    Kind.SELECTION: "'group:raw'",
    Kind.LABEL: "'named'",
    Kind.TAG_KEYS: "{'team', 'tier'}",
    Kind.TAG_VALUES: "{'team': 'data'}",
}


def calls(name: str, signature: Signature) -> Iterator[str]:
    """*name* with the arguments that it needs, and with all that it takes."""
    for chosen in ([item for item in signature.parameters if item.required], signature.parameters):
        yield f"{name}({', '.join(f'{item.name}={EXAMPLES[item.kind]}' for item in chosen)})"


TEXTS = [
    text for name, signature in CONDITIONS.items() if signature.scope != "check" for text in calls(name, signature)
]
TEXTS += [f"any_checks_match({name}())" for name, signature in CONDITIONS.items() if signature.scope == "check"]
TEXTS += [
    f"any_deps_match(missing()).{text}"
    for name, signature in METHODS.items()
    if name != "without"
    for text in calls(name, signature)
]
TEXTS += ["eager", "on_missing", "(missing() & in_progress() & newly_updated()).without(missing())"]


@pytest.mark.parametrize("text", dict.fromkeys(TEXTS))
def test_every_condition_is_built_and_can_be_stored(text: str) -> None:
    built = condition(text)

    assert built.is_serializable
    assert stored(cast("AssetCondition", deserialize_value(stored(built)))) == stored(built)


def test_every_condition_can_be_evaluated(instance: dg.DagsterInstance) -> None:
    every = [asset(f"asset_{number}", text, deps=["a"]) for number, text in enumerate(dict.fromkeys(TEXTS))]
    ticks = Ticks([asset("a"), *every], instance)

    for minute in range(3):
        ticks.tick(f"2024-01-05T06:0{minute}")


class TestMethods:
    def test_a_part_is_replaced_and_no_other(self) -> None:
        replaced = condition("(missing() & ~in_progress()).replace(missing(), newly_updated())")

        assert stored(replaced) == stored(condition("newly_updated() & ~in_progress()"))

    def test_a_part_is_replaced_by_its_name_wherever_it_is(self) -> None:
        replaced = condition("(missing().newly_true() | any_checks_match(missing())).replace('missing', in_progress())")

        assert stored(replaced) == stored(condition("in_progress().newly_true() | any_checks_match(in_progress())"))

    def test_eager_may_go_without_waiting_for_what_is_missing(self, instance: dg.DagsterInstance) -> None:
        ticks = Ticks(
            [asset("a"), asset("b"), asset("c", "eager.without(~any_deps_missing())", deps=["a", "b"])], instance
        )

        ticks.tick("2024-01-05T12:00")
        ticks.make("a")

        assert ticks.tick("2024-01-05T12:01") == {"c": [""]}

    def test_upstreams_may_be_ignored(self, instance: dg.DagsterInstance) -> None:
        @dg.asset(group_name="slow")
        def a() -> None: ...

        ticks = Ticks([a, asset("b"), asset("c", "eager.ignore('slow')", deps=["a", "b"])], instance)
        ticks.tick("2024-01-05T12:00")
        ticks.make("a")
        ignored = ticks.tick("2024-01-05T12:01")
        ticks.make("b")

        assert (ignored, ticks.tick("2024-01-05T12:02")) == ({}, {"c": [""]})

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("eager", False), ("eager.ignore('group:slow')", True), ("missing() | any_deps_missing().allow('a')", True)],
    )
    def test_only_selection_items_need_the_other_assets(self, text: str, expected: bool) -> None:
        assert names_assets(text) is expected


SHOP = """
    import dagster as dg

    THRESHOLD = 3
    hourly = dg.AutomationCondition.on_cron("@hourly")

    def nightly(hour=1):
        return dg.AutomationCondition.on_cron(f"0 {hour} * * *")

    def word():
        return "eager"

    def nothing(): ...

    def asking(context, catalog): ...

    def broken():
        raise ValueError("no such hour")

    class Nightly: ...
"""


class TestFunctions:
    @pytest.fixture(autouse=True)
    def shop(self, user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
        user_project.write({"shop.py": SHOP})
        monkeypatch.syspath_prepend(user_project.path)

    @pytest.mark.parametrize(("name", "label"), [("nightly", "0 1 * * *"), ("hourly", "@hourly")])
    def test_a_function_returns_the_condition(self, name: str, label: str) -> None:
        assert condition(ConditionFunction(target_function=f"shop.{name}")).get_label() == f"on_cron({label}, UTC)"

    def test_functions_that_are_refused(self) -> None:
        names = ("word", "nothing", "asking", "broken", "Nightly", "THRESHOLD", "wrod")
        functions = [ConditionFunction(target_function=f"shop.{name}") for name in names]

        assert "\n\n".join(map(refusal, functions)) == snapshot("""\
error[FLOE-347]: 'shop.word' returns a value of type str instead of an automation condition
  --> floe.yaml:1:1  automation_condition
   |  …
  why: a function is called without arguments and returns a dagster.AutomationCondition
  fix: return a condition, such as dg.AutomationCondition.eager()

error[FLOE-347]: 'shop.nothing' returns None instead of an automation condition
  --> floe.yaml:1:1  automation_condition
   |  …
  why: a function is called without arguments and returns a dagster.AutomationCondition
  fix: return a condition, such as dg.AutomationCondition.eager()

error[FLOE-347]: function 'shop.asking' asks for 'context', 'catalog', which nothing provides
  --> floe.yaml:1:1  automation_condition
   |  …
  why: the function of an automation condition is called without arguments
  fix: give these parameters a default

error[FLOE-347]: function 'shop.broken', which returns an automation condition, raises ValueError
  --> floe.yaml:1:1  automation_condition
   |  …
      shop.py:17 in broken
          raise ValueError("no such hour")
      ValueError: no such hour

error[FLOE-347]: 'shop.Nightly' is a value of type type instead of an automation condition
  --> floe.yaml:1:1  automation_condition
   |  …
  why: a function is called without arguments and returns a dagster.AutomationCondition
  fix: return a condition, such as dg.AutomationCondition.eager()

error[FLOE-347]: 'shop.THRESHOLD' is a value of type int instead of an automation condition
  --> floe.yaml:1:1  automation_condition
   |  …
  why: a function is called without arguments and returns a dagster.AutomationCondition
  fix: return a condition, such as dg.AutomationCondition.eager()

error[FLOE-311]: module 'shop' has no 'wrod'
  --> floe.yaml:1:1  automation_condition
   |  …
  why: it defines nightly, word, nothing, asking, broken, Nightly
  fix: did you mean 'shop.word'?\
""")


def test_conditions_that_cannot_be_built() -> None:
    static = dg.StaticPartitionsDefinition(["eu", "us"])
    texts = (
        "on_cron",
        "eager | on_cron & missing()",
        "missing().without(missing())",
        "on_missing.without(in_progress())",
        "(missing() & eager).without(eager)",
        "newly_updated().ignore('a')",
        "eager.replace('newly_mising', missing())",
    )

    assert "\n\n".join(refusal(text) for text in texts) == snapshot("""\
error[FLOE-347]: automation condition 'on_cron' has no cron to take
  --> floe.yaml:1:1  automation_condition
   |  on_cron
  why: 'on_cron' alone means the cron of the asset's time window, and the asset has no partitions
  fix: write 'on_cron('0 6 * * *')', or set 'partitions' to a time window

error[FLOE-347]: automation condition 'eager | on_cron & missing()' has no cron to take
  --> floe.yaml:1:9  automation_condition
   |  eager | on_cron & missing()
  why: 'on_cron' alone means the cron of the asset's time window, and the asset has no partitions
  fix: write 'on_cron('0 6 * * *')', or set 'partitions' to a time window

error[FLOE-347]: automation condition 'missing().without(missing())' calls 'without' on 'missing'
  --> floe.yaml:1:11  automation_condition
   |  missing().without(missing())
  why: it takes a part away from conditions that are joined by '&'
  fix: call it on another part, or delete it

error[FLOE-347]: automation condition 'on_missing.without(in_progress())' takes away 'in_progress', which it lacks
  --> floe.yaml:1:12  automation_condition
   |  on_missing.without(in_progress())
  why: the parts of 'on_missing' are missing, not_requested_yet, ~any_deps_missing, ~any_deps_in_progress and 2 more
  fix: name one of these

error[FLOE-347]: automation condition '(missing() & eager).without(eager)' leaves less than 2 parts
  --> floe.yaml:1:21  automation_condition
   |  (missing() & eager).without(eager)
  why: what is joined by '&' has at least that many
  fix: write the part that is left alone

error[FLOE-347]: automation condition 'newly_updated().ignore('a')' calls 'ignore' on 'newly_updated'
  --> floe.yaml:1:17  automation_condition
   |  newly_updated().ignore('a')
  why: it says which upstreams or checks do not count, and this condition asks about none
  fix: call it on another part, or delete it

error[FLOE-347]: automation condition 'eager.replace('newly_mising', missing())' replaces 'newly_mising', which it lacks
  --> floe.yaml:1:7  automation_condition
   |  eager.replace('newly_mising', missing())
  why: the parts of 'eager' are eager, in_latest_time_window, newly_missing, missing and 13 more
  fix: did you mean 'newly_missing'?\
""")
    assert refusal("on_cron", partitions_def=static) == snapshot("""\
error[FLOE-347]: automation condition 'on_cron' has no cron to take
  --> floe.yaml:1:1  automation_condition
   |  on_cron
  why: 'on_cron' alone means the cron of the asset's time window, and the asset has partitions without one
  fix: write 'on_cron('0 6 * * *')', or set 'partitions' to a time window\
""")


def test_what_grows_without_end_is_refused() -> None:
    text = "missing()" + ".replace('missing', missing() & missing())" * 25

    assert "grows to more than 1000 parts" in refusal(text)


def refusal(setting: str | ConditionFunction, partitions_def: dg.PartitionsDefinition | None = None) -> str:
    with pytest.raises(FloeError) as caught:
        condition(setting, partitions_def=partitions_def)
    return str(caught.value)
