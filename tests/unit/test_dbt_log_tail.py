"""Reading dbt's log while dbt writes it."""

import json
from pathlib import Path

import pytest

from dbt_logs import events_in, golden_log, invocation_of
from floe_dagster.observability.dbt_log.log_tail import LogTail

LOG = golden_log("killed")
INVOCATION = invocation_of(LOG)


def line(name: str, invocation: str = "one", **data: object) -> str:
    return json.dumps({"data": data, "info": {"invocation_id": invocation, "name": name}}) + "\n"


def names(tail: LogTail, invocation: str | None = "one") -> list[str]:
    return [event["info"]["name"] for event in tail.read(invocation)]


def test_events_are_read_once_and_only_when_their_line_is_complete(tmp_path: Path) -> None:
    log, whole = tmp_path / "dbt.log", LOG.read_bytes()
    wanted = [event for event in events_in(LOG) if event["info"]["name"] in ("NodeStart", "NodeFinished")]
    tail = LogTail(log)

    found = list(tail.read(INVOCATION))
    for end in range(0, len(whole) + 100, 100):
        log.write_bytes(whole[:end])
        found += tail.read(INVOCATION)

    assert found == wanted
    assert len(wanted) == 3


def test_a_log_that_is_not_there_yet_is_opened_when_it_is(tmp_path: Path) -> None:
    tail = LogTail.at_end(tmp_path / "dbt.log")

    before = names(tail), tail.has_events
    (tmp_path / "dbt.log").write_text(line("NodeStart"))

    assert (before, names(tail), tail.has_events) == (([], False), ["NodeStart"], True)


def test_what_stood_in_the_log_before_and_other_calls_are_left_out(tmp_path: Path) -> None:
    log = tmp_path / "dbt.log"
    log.write_text(line("NodeStart"))
    tail = LogTail.at_end(log)
    with log.open("a") as file:
        file.write(line("NodeFinished", "another") + line("NodeFinished"))

    assert names(tail) == ["NodeFinished"]


def test_a_call_whose_id_is_not_known_is_that_of_the_first_event(tmp_path: Path) -> None:
    log = tmp_path / "dbt.log"
    log.write_text(line("MainReportVersion") + line("NodeStart") + line("NodeStart", "another"))
    tail = LogTail(log)

    assert names(tail, None) == ["NodeStart"]
    assert tail.invocation_id == "one"


@pytest.mark.requirement("010-FR-007")
@pytest.mark.parametrize(
    "corrupt",
    [
        b'{"data": {}, "info": {"name": "NodeStart"',
        b'"NodeStart"',
        b'{"data": [], "info": {"name": "NodeStart"}}',
        b'{"data": {}, "info": {"name": "NodeStart"}} trailing',
        b'\xff\xfe"NodeStart"',
        b'[{"name": "NodeStart"}]',
    ],
)
def test_a_line_that_is_no_event_is_counted_and_left_out(tmp_path: Path, corrupt: bytes) -> None:
    log = tmp_path / "dbt.log"
    log.write_bytes(line("NodeStart").encode() + corrupt + b"\n" + line("NodeFinished").encode())
    tail = LogTail(log)

    assert names(tail) == ["NodeStart", "NodeFinished"]
    assert tail.unreadable == 1


def test_lines_of_other_events_are_not_parsed(tmp_path: Path) -> None:
    log = tmp_path / "dbt.log"
    log.write_text('13:00:00 Running with dbt, said "NodeStart\\"\n' + line("SQLQuery", sql='"NodeStart"'))
    tail = LogTail(log)

    assert names(tail) == []
    assert tail.unreadable == 0


@pytest.mark.requirement("010-FR-007")
def test_a_log_of_many_megabytes_loses_no_node(tmp_path: Path) -> None:
    """dbt starts another file after 10 MB unless it is told otherwise."""
    log, noise = tmp_path / "dbt.log", line("SQLQuery", sql="select " + "x" * 1000)
    with log.open("w") as file:
        for number in range(15_000):
            file.write(noise)
            if number % 100 == 0:
                file.write(line("NodeFinished", sql="y" * 4000))

    assert log.stat().st_size > 15_000_000
    assert len(names(LogTail(log))) == 150
