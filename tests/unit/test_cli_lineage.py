"""`floe lineage replay` on events that were kept before."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from floe_cli.main import run_command_line
from floe_dagster.observability.lineage.events import event_line
from floe_dagster.observability.lineage.replay import own_replay
from floe_dagster.observability.records import Outcome, RunEnded, RunScope, RunStarted
from floe_processes import start_floe
from lineage_events import Event, check_events
from lineage_receiver import LineageReceiver, closed_address
from lineage_records import at, make_events
from plugins.user_project import UserProject

FIRST = "11111111-52f5-4a63-9d3a-0e8f6a0f5d11"
SECOND = "22222222-52f5-4a63-9d3a-0e8f6a0f5d11"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[LineageReceiver]:
    with LineageReceiver().open() as opened:
        monkeypatch.setenv("OPENLINEAGE_URL", opened.url)
        yield opened


@pytest.fixture(autouse=True)
def _project(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENLINEAGE_URL", raising=False)
    user_project.write({"floe.yaml": "name: shop"})


def events_of(run_id: str, began: float) -> list[Event]:
    scope = RunScope(run_id, "nightly")
    return make_events([
        RunStarted(scope, at(began)),
        RunEnded(scope, at(began), at(began + 1), Outcome.SUCCEEDED),
    ])  # fmt: skip


def keep(folder: str, run_id: str, events: Sequence[Event], *more: bytes) -> Path:
    file = Path(".floe/observability", folder, f"{run_id}.jsonl")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(line + b"\n" for line in [*map(event_line, events), *more]))
    return file


def replay(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run_command_line(["lineage", "replay", *arguments]) == code
    out, err = capfd.readouterr()
    return out + err


def started(receiver: LineageReceiver) -> list[tuple[str, str]]:
    return [(event["run"]["runId"][:8], event["eventType"]) for event in receiver.events]


def test_everything_kept_is_sent_the_oldest_run_first(
    receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    spool = keep("spool", SECOND, events_of(SECOND, 10))
    local = keep("lineage", FIRST, events_of(FIRST, 0))

    said = replay(capfd)

    assert said.replace(receiver.url, "URL") == snapshot("""\
run 11111111-52f5-4a63-9d3a-0e8f6a0f5d11: 2 sent
run 22222222-52f5-4a63-9d3a-0e8f6a0f5d11: 2 sent
4 events sent to URL
""")
    check_events(receiver.events)
    assert started(receiver) == [
        ("11111111", "START"), ("11111111", "COMPLETE"), ("22222222", "START"), ("22222222", "COMPLETE"),
    ]  # fmt: skip
    assert (spool.exists(), local.exists()) == (False, True)


def test_what_has_arrived_is_not_sent_again(receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]) -> None:
    local = keep("lineage", FIRST, events_of(FIRST, 0))
    replay(capfd)
    receiver.events.clear()

    assert replay(capfd) == "no lineage events wait to be sent\n"
    with local.open("ab") as file:
        file.write(event_line(events_of(FIRST, 5)[0]) + b"\n")
    replay(capfd)

    assert started(receiver) == [("11111111", "START")]


def test_a_receiver_that_is_busy_is_left_alone_and_everything_kept(
    receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.answer = "busy"
    files = [keep("spool", FIRST, events_of(FIRST, 0)), keep("spool", SECOND, events_of(SECOND, 10))]
    before = [file.read_bytes() for file in files]

    said = replay(capfd, code=1)

    assert said.replace(receiver.url, "URL") == snapshot("""\
run 11111111-52f5-4a63-9d3a-0e8f6a0f5d11: 0 sent, 2 kept
run 22222222-52f5-4a63-9d3a-0e8f6a0f5d11: 0 sent, 2 kept
0 events sent to URL
4 events kept: the backend answered 503 Service Unavailable
""")
    assert receiver.requests == 1
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize("folder", ["spool", "lineage"])
def test_an_event_that_is_refused_stays_and_the_others_go(
    folder: str, receiver: LineageReceiver, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(folder, FIRST, events_of(FIRST, 0))
    receiver.answer = "refuse"
    replay(capfd, code=1)
    assert receiver.requests == 2
    receiver.answer = "take"

    replay(capfd)

    assert started(receiver) == [("11111111", "START"), ("11111111", "COMPLETE")]


def test_lines_that_are_no_events_are_told_and_set_aside(
    receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    spool = keep("spool", FIRST, events_of(FIRST, 0)[:1], b'{"half": ', b"[]", event_line(events_of(FIRST, 0)[1]))

    assert replay(capfd).replace(receiver.url, "URL").replace(FIRST, "FIRST") == snapshot("""\
run FIRST: 2 sent, 2 unreadable
a line that holds no lineage event was set aside: line 1 of .floe/observability/spool/FIRST.damaged
a line that holds no lineage event was set aside: line 2 of .floe/observability/spool/FIRST.damaged
2 events sent to URL
""")
    assert started(receiver) == [("11111111", "START"), ("11111111", "COMPLETE")]
    assert spool.with_suffix(".damaged").read_text() == '{"half": \n[]\n'
    assert replay(capfd) == "no lineage events wait to be sent\n"


def test_a_last_line_that_was_cut_off_is_told_once(
    receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    local = keep("lineage", FIRST, events_of(FIRST, 0))
    local.write_bytes(local.read_bytes()[:-20])
    keep("lineage", SECOND, events_of(SECOND, 10))

    assert "line 2 of .floe/observability/lineage/11111111" in replay(capfd, code=1)  # it may be written this moment
    os.utime(local, (0, 0))
    assert replay(capfd).replace(receiver.url, "URL") == snapshot("""\
run 11111111-52f5-4a63-9d3a-0e8f6a0f5d11: 0 sent, 1 unreadable
line 2 of .floe/observability/lineage/11111111-52f5-4a63-9d3a-0e8f6a0f5d11.jsonl holds no lineage event
0 events sent to URL
""")
    assert replay(capfd) == "no lineage events wait to be sent\n"
    with local.open("ab") as file:
        file.write(event_line(events_of(FIRST, 5)[0]) + b"\n")
    receiver.events.clear()
    replay(capfd)

    assert started(receiver) == [("11111111", "START")]


@pytest.mark.parametrize("mark", ["", "half", "-1", "99999999"])
def test_a_mark_that_says_nothing_is_told_and_everything_sent_again(
    mark: str, receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    local = keep("lineage", FIRST, events_of(FIRST, 0))
    local.with_suffix(".sent").write_text(mark)

    said = replay(capfd)

    assert f"{local.with_suffix('.sent')} does not say how much was sent: all of the run's events are sent" in said
    assert started(receiver) == [("11111111", "START"), ("11111111", "COMPLETE")]
    assert replay(capfd) == "no lineage events wait to be sent\n"


def test_what_is_refused_and_cannot_be_put_aside_stays_where_it_is(
    receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    keep("lineage", FIRST, events_of(FIRST, 0))
    Path(".floe/observability/spool").write_text("a file")
    receiver.answer = "refuse"

    said = replay(capfd, code=1)
    receiver.answer = "take"
    replay(capfd)

    assert "2 events kept: " in said
    assert said.endswith("cannot be written: File exists\n")
    assert started(receiver) == [("11111111", "START"), ("11111111", "COMPLETE")]


def test_a_configuration_that_is_not_there_is_why_there_is_no_receiver(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_CONFIG", "gone.yml")

    assert "why: OPENLINEAGE_CONFIG names gone.yml, which is not there\n" in replay(capfd, code=1)


def test_runs_that_were_not_tried_say_so(receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]) -> None:
    receiver.answer = "busy"
    for number, run_id in enumerate((FIRST, SECOND)):
        keep("spool", run_id, events_of(run_id, number))

    told: dict[str, Any] = json.loads(replay(capfd, "--format", "json", code=1))

    assert [(run["is_reachable"], run["reason"]) for run in told["runs"]] == [
        (False, "the backend answered 503 Service Unavailable"),
        (None, "not tried"),
    ]


def test_events_that_a_run_adds_meanwhile_are_not_lost(
    receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a replay that was killed has left comes before what was added since."""
    first, second = events_of(FIRST, 0)
    left = keep("spool", FIRST, [first])
    left.rename(left.with_name(f"{left.name}.replaying"))
    keep("spool", FIRST, [second])

    replay(capfd)

    assert started(receiver) == [("11111111", "START"), ("11111111", "COMPLETE")]
    assert list(left.parent.iterdir()) == []


def test_three_at_once_send_each_event_once_and_wait_for_one_another(receiver: LineageReceiver, tmp_path: Path) -> None:
    runs = [f"{number:08}-52f5-4a63-9d3a-0e8f6a0f5d11" for number in range(60)]
    kept = [keep(folder, run, events_of(run, 0)) for run in runs for folder in ("spool", "lineage")]
    printed = [tmp_path / f"printed-{number}" for number in range(3)]

    with own_replay(Path(".floe/observability"), tell=pytest.fail):
        processes = [
            start_floe("lineage", "replay", folder=Path.cwd(), environ=os.environ, stdout=file, stderr=file)
            for file in printed
        ]
        deadline = time.monotonic() + 60
        while not all(file.exists() and "waiting for its end" in file.read_text() for file in printed):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0, 0], [file.read_text() for file in printed]
    assert len(receiver.events) == len(kept) * 2
    assert sum("no lineage events wait to be sent" in file.read_text() for file in printed) == 2


def test_one_run_is_named_by_the_beginning_of_its_id(
    receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    keep("spool", FIRST, events_of(FIRST, 0))
    other = keep("spool", SECOND, events_of(SECOND, 10))

    told: dict[str, Any] = json.loads(replay(capfd, "--run", "1111", "--format", "json"))

    assert {**told, "receiver": ""} == snapshot(
        {
            "receiver": "",
            "sent": 2,
            "kept": 0,
            "runs": [
                {
                    "run_id": "11111111-52f5-4a63-9d3a-0e8f6a0f5d11",
                    "origin": "spool",
                    "sent": 2,
                    "kept": 0,
                    "unreadable": 0,
                    "reason": "",
                    "is_reachable": True,
                    "remarks": [],
                }
            ],
        }
    )
    assert other.exists()


def test_a_run_of_which_nothing_is_kept_is_wrong_usage(
    receiver: LineageReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    keep("spool", FIRST, events_of(FIRST, 0))

    assert replay(capfd, "--run", "3333", code=2) == snapshot("""\
error[FLOE-456]: no lineage event of run '3333' is kept
      11111111-52f5-4a63-9d3a-0e8f6a0f5d11
  why: 1 run left events that were not sent
  fix: name one of them, or no run for all
""")
    assert receiver.requests == 0


def test_without_a_receiver_it_says_how_to_name_one(capfd: pytest.CaptureFixture[str]) -> None:
    keep("spool", FIRST, events_of(FIRST, 0))

    assert replay(capfd, code=1) == snapshot("""\
error[FLOE-455]: there is no receiver of lineage events
  why: neither OPENLINEAGE_URL nor observability.lineage_endpoint of platform.yaml names one
  fix: set OPENLINEAGE_URL, such as http://marquez:5000
""")


def test_switched_off_nothing_is_sent(
    receiver: LineageReceiver, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    keep("spool", FIRST, events_of(FIRST, 0))

    assert "OPENLINEAGE_DISABLED switches lineage off" in replay(capfd, code=1)
    assert receiver.requests == 0


def test_no_credentials_are_told(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    address = closed_address().replace("http://", "http://ada:lovelace@")
    monkeypatch.setenv("OPENLINEAGE_URL", address)
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "hunter22")
    keep("spool", FIRST, events_of(FIRST, 0))

    said = replay(capfd, code=1)

    assert "2 events kept: the backend could not be reached" in said
    assert not [word for word in ("lovelace", "hunter22") if word in said]
