"""Sensors that keep dynamic partition keys."""

import textwrap

import dagster as dg
import pytest
from inline_snapshot import snapshot

from builders import floe_yaml, parse_document
from floe_core.errors import LoadError, SensorError
from floe_dagster.loaders.partition_key_loader import build_partition_key_sensors
from plugins.user_project import UserProject

FILES = "files: {type: dynamic, fn: keys.files}"


@pytest.fixture(autouse=True)
def keys_module(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
    user_project.write(
        {
            "keys.py": """
                def files():
                    return ["a.csv", "b.csv"]

                def tables(context, catalog):
                    return catalog.list_tables()

                def regions():
                    return ["eu|1"]

                def wrong():
                    return [1]

                def broken():
                    raise OSError("no such bucket")

                def odd(limit: int): ...
                """
        }
    )
    monkeypatch.syspath_prepend(user_project.path)


class Tables:
    def list_tables(self) -> list[str]:
        return ["bronze.orders"]


def sensors(partitions: str, *, resources: dict[str, object] | None = None) -> dict[str, dg.SensorDefinition]:
    document = parse_document(floe_yaml(f"partitions:\n{textwrap.indent(partitions, '  ')}"))
    return build_partition_key_sensors(
        document.spec.orchestration.partitions, source=document.source, resources=resources
    )


def evaluate(
    partitions: str, *, existing: tuple[str, ...] = (), **resources: object
) -> tuple[list[object], str | None]:
    """What the one sensor asks for, and what it says."""
    [sensor] = sensors(partitions).values()
    with dg.DagsterInstance.ephemeral() as instance:
        if existing:
            instance.add_dynamic_partitions("files", list(existing))
        data = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, resources=resources))
    return list(data.dynamic_partitions_requests or ()), data.skip_message


@pytest.mark.requirement("010-FR-014")
def test_a_definition_with_a_function_becomes_a_running_sensor() -> None:
    found = sensors(
        "files: {type: dynamic, fn: keys.files, poll_interval_seconds: 90, remove_missing: true}\n"
        "plain: {type: dynamic}\n"
        "sales: {type: multi, partitions: {file: {type: dynamic, fn: keys.files}, region: {type: dynamic}}}"
    )

    assert list(found) == ["files_partition_keys", "sales_file_partition_keys"]
    sensor = found["files_partition_keys"]
    assert (sensor.minimum_interval_seconds, sensor.default_status) == (90, dg.DefaultSensorStatus.RUNNING)
    assert sensor.description == "Adds the partition keys that keys.files returns to 'files', and removes all others."
    assert found["sales_file_partition_keys"].minimum_interval_seconds == 30


@pytest.mark.requirement("010-FR-014")
def test_keys_that_are_not_there_are_added() -> None:
    requests, said = evaluate(FILES, existing=("a.csv", "old.csv"))

    assert requests == [dg.AddDynamicPartitionsRequest("files", ["b.csv"])]
    assert said == "added b.csv"


@pytest.mark.requirement("010-FR-014")
def test_keys_that_are_no_longer_returned_are_removed_where_the_document_says_so() -> None:
    requests, said = evaluate(
        "files: {type: dynamic, fn: keys.files, remove_missing: true}", existing=("a.csv", "b.csv", "old.csv")
    )

    assert requests == [dg.DeleteDynamicPartitionsRequest("files", ["old.csv"])]
    assert said == "removed old.csv"


def test_nothing_new_is_a_reason_to_skip() -> None:
    assert evaluate(FILES, existing=("b.csv", "a.csv")) == ([], "no new keys from keys.files, which returned 2")


def test_a_function_may_ask_for_resources() -> None:
    requests, _ = evaluate("tables: {type: dynamic, fn: keys.tables}", catalog=Tables())

    assert requests == [dg.AddDynamicPartitionsRequest("tables", ["bronze.orders"])]


def test_what_is_returned_and_is_no_keys_fails_the_tick_at_the_line_of_the_function() -> None:
    with pytest.raises(SensorError) as wrong:
        evaluate("files: {type: dynamic, fn: keys.wrong}")
    with pytest.raises(SensorError) as joined:
        evaluate("sales: {type: multi, partitions: {r: {type: dynamic, fn: keys.regions}, f: {type: dynamic}}}")

    assert f"{wrong.value}\n\n{joined.value}" == snapshot("""\
error[FLOE-341]: function 'keys.wrong' returns no partition keys for 'files'
  --> keys.py:10
   |  def wrong():
  why: a partition key is a text, and 1 is int
  fix: return str(key)

error[FLOE-341]: function 'keys.regions' returns no partition keys for 'sales_r'
  --> keys.py:7
   |  def regions():
  why: a key of a dimension has none of '|', ',', '[' and ']': 'eu|1'
  fix: leave the key out, or change it\
""")


def test_an_error_of_the_function_is_its_own() -> None:
    with pytest.raises(OSError, match="no such bucket"):
        evaluate("files: {type: dynamic, fn: keys.broken}")


def test_functions_that_cannot_be_called() -> None:
    with pytest.raises(LoadError) as caught:
        sensors(
            "one: {type: dynamic, fn: keys.fils}\n"
            "two: {type: dynamic, fn: keys.odd}\n"
            "three: {type: multi, partitions: {t: {type: dynamic, fn: keys.tables}, r: {type: dynamic}}}",
            resources={"dbt": object()},
        )

    assert str(caught.value) == snapshot("""\
error[FLOE-311]: module 'keys' has no 'fils'
  --> floe.yaml:3:30  orchestration.partitions.one.fn
   |  one: {type: dynamic, fn: keys.fils}
  why: it defines files, tables, regions, wrong, broken, odd
  fix: did you mean 'keys.files'?

error[FLOE-312]: dynamic partitions 'two' take their keys from 'keys.odd', which asks for 'limit'
  --> floe.yaml:4:30  orchestration.partitions.two.fn
   |  two: {type: dynamic, fn: keys.odd}
  why: the function takes 'context' and resources by name
  fix: give these parameters a default, or read them from the context

error[FLOE-374]: function 'keys.tables' asks for the resource 'catalog', which does not exist
  --> floe.yaml:5:62  orchestration.partitions.three.partitions.t.fn
   |  three: {type: multi, partitions: {t: {type: dynamic, fn: keys.tables}, r: {type: dynamic}}}
  why: a parameter without annotation is the resource of its name; there are dbt
  fix: delete the parameter, or define it under 'resources' in platform.yaml

3 errors\
""")
