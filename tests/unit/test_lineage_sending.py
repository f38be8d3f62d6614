"""Where lineage events go: to a file, to a receiver, and into the spool where it does not take them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from floe_core.errors import LoadError
from floe_core.schemas.platform_spec import Observability
from floe_dagster.observability.lineage.destination import find_destination
from floe_dagster.observability.lineage.observer import LineageObserver, open_lineage
from floe_dagster.observability.observers import Observers
from floe_dagster.observability.records import (
    AssetEnded,
    AssetStarted,
    Outcome,
    RunEnded,
    RunScope,
    RunStarted,
    StepScope,
)
from lineage_events import Event, check_events, read_events
from lineage_receiver import LineageReceiver, closed_address
from lineage_records import RUN, STEP, at, settings

API_KEY = "correct-horse-battery-staple"


@pytest.fixture
def receiver() -> Iterator[LineageReceiver]:
    with LineageReceiver().open() as opened:
        yield opened


@pytest.fixture
def _much_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes seconds to import what sends."""
    monkeypatch.setattr("floe_dagster.observability.background._PATIENCE", 60.0)


def observer(folder: Path, environ: Mapping[str, str], **platform: Any) -> LineageObserver:
    said = settings(folder, platform=Observability.model_validate(platform))
    opened = open_lineage(said, environ=environ)
    assert opened is not None
    return opened


def notes(folder: Path, environ: Mapping[str, str]) -> list[str]:
    """What is said of variables at the beginning of a run."""
    said: list[str] = []
    open_lineage(settings(folder), environ=environ, note=said.append)
    return said


def run_an_asset(told: LineageObserver, *, end: bool = True, step: StepScope = STEP) -> None:
    """Four events."""
    told.observe(RunStarted(RUN, at(0)))
    told.observe(AssetStarted(step, ("report",), at(1)))
    if end:
        told.observe(AssetEnded(step, ("report",), at(1), at(2), Outcome.SUCCEEDED))
        told.observe(RunEnded(RUN, at(0), at(3), Outcome.SUCCEEDED))


def told_of_one_event(folder: Path, environ: Mapping[str, str]) -> list[str]:
    """What is said of it when it does not arrive."""
    said: list[str] = []
    observers = Observers([observer(folder, environ)], warn=said.append)
    observers.observe(RunStarted(RUN, at(0)))
    observers.flush(60)
    return said


def wait_for_events(receiver: LineageReceiver, number: int) -> None:
    """Until so many have arrived; who flushes at once on a busy machine finds them in the spool."""
    deadline = time.monotonic() + 60
    while len(receiver.events) < number and time.monotonic() < deadline:
        time.sleep(0.02)


def spooled(folder: Path) -> list[Event]:
    file = folder / "spool" / f"{RUN.run_id}.jsonl"
    return read_events(file) if file.exists() else []


class TestDestination:
    """Each variable on its own and together, as OpenLineage reads them."""

    def find(self, environ: Mapping[str, str], **platform: Any) -> dict[str, Any]:
        found = find_destination(environ, Observability.model_validate(platform))
        return {} if found is None else dict(found.config["transport"])

    def test_nothing_said_is_a_local_file(self) -> None:
        assert self.find({}) == {}

    def test_variables_win_over_the_platform(self) -> None:
        environ = {
            "OPENLINEAGE_URL": "http://marquez:5000",
            "OPENLINEAGE_ENDPOINT": "api/v2",
            "OPENLINEAGE_API_KEY": "k",
        }

        found = self.find(environ, lineage_endpoint="http://other:5000")

        assert found == {
            "timeout": 2.0,
            "retry": {"total": 0, "read": 0, "connect": 0},
            "type": "http",
            "url": "http://marquez:5000",
            "endpoint": "api/v2",
            "auth": {"type": "api_key", "apiKey": "k"},
        }

    def test_the_platform_names_the_secret_of_its_receiver(self, monkeypatch: pytest.MonkeyPatch) -> None:
        platform = {"lineage_endpoint": "marquez:5000", "lineage_api_key": {"secret_ref": "MARQUEZ_KEY"}}
        with pytest.raises(LoadError):
            self.find({}, **platform)

        monkeypatch.setenv("MARQUEZ_KEY", "k")
        found = self.find({}, **platform)

        assert (found["url"], found["auth"]["apiKey"]) == ("https://marquez:5000", "k")

    def test_a_transport_of_variables_gives_up_soon_unless_it_says_otherwise(self) -> None:
        transport = {"OPENLINEAGE__TRANSPORT__TYPE": "async_http", "OPENLINEAGE__TRANSPORT__URL": "http://a"}

        assert self.find(transport)["type"] == "http"
        assert self.find({**transport, "OPENLINEAGE__TRANSPORT__TIMEOUT": "7"})["timeout"] == 7
        assert self.find({"OPENLINEAGE__TRANSPORT": '{"type": "kafka", "topic": "t"}'}) == {
            "type": "kafka",
            "topic": "t",
        }

    def test_an_address_is_one_of_the_transports_of_a_composite(self) -> None:
        environ = {
            "OPENLINEAGE_URL": "http://a",
            "OPENLINEAGE__TRANSPORT__TYPE": "composite",
            "OPENLINEAGE__TRANSPORT__TRANSPORTS__FILE": '{"type": "file", "log_file_path": "x"}',
        }

        assert {name: item["type"] for name, item in self.find(environ)["transports"].items()} == {
            "default_http": "http",
            "file": "file",
        }

    def test_a_file_counts_where_a_variable_names_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "openlineage.yml"
        file.write_text("transport: {type: http, url: 'http://in-file'}\ntags: {job: {team: shop}}\n")
        monkeypatch.chdir(tmp_path)

        assert self.find({}) == {}
        named = find_destination({"OPENLINEAGE_CONFIG": str(file)}, Observability())

        assert named is not None
        assert (named.label, named.is_plain, named.config["tags"]) == (
            "http://in-file",
            False,
            {"job": {"team": "shop"}},
        )

    @pytest.mark.parametrize(
        ("file", "why"),
        [
            ("gone.yml", "is not there"),
            ("list.yml", "is no YAML that holds settings by their names"),
            ("broken.yml", "is no YAML that holds settings by their names"),
        ],
    )
    def test_a_file_that_says_nothing_is_none_and_told(self, tmp_path: Path, file: str, why: str) -> None:
        (tmp_path / "list.yml").write_text("[1]")
        (tmp_path / "broken.yml").write_text("a: [")
        environ = {"OPENLINEAGE_CONFIG": str(tmp_path / file)}

        assert self.find(environ) == {}
        assert notes(tmp_path, environ) == [
            f"lineage: OPENLINEAGE_CONFIG names {tmp_path / file}, which {why}; events go to {tmp_path / 'lineage'}"
        ]
        assert notes(tmp_path, {**environ, "OPENLINEAGE_URL": "http://ada:lovelace@marquez:5000"}) == [
            f"lineage: OPENLINEAGE_CONFIG names {tmp_path / file}, which {why}; events go to http://marquez:5000"
        ]

    def test_a_console_is_not_supported_and_events_are_kept(self, tmp_path: Path) -> None:
        environ = {"OPENLINEAGE__TRANSPORT__TYPE": "console"}

        run_an_asset(observer(tmp_path, environ))

        assert len(read_events(tmp_path / "lineage" / f"{RUN.run_id}.jsonl")) == 4
        assert notes(tmp_path, environ) == [
            f"lineage: OpenLineage's transport 'console' is not supported; events go to {tmp_path / 'lineage'}"
        ]

    def test_an_address_is_told_without_credentials(self) -> None:
        found = find_destination({"OPENLINEAGE_URL": "http://ada:lovelace@marquez:5000?key=1"}, Observability())

        assert found is not None
        assert (found.label, "lovelace" in repr(found)) == ("http://marquez:5000", False)


class TestLocalFiles:
    def test_each_event_is_a_line(self, tmp_path: Path) -> None:
        run_an_asset(observer(tmp_path, {}))

        events = read_events(tmp_path / "lineage" / f"{RUN.run_id}.jsonl")

        check_events(events)
        assert len(events) == 4

    def test_switched_off_there_is_none(self, tmp_path: Path) -> None:
        assert open_lineage(settings(tmp_path), environ={"OPENLINEAGE_DISABLED": " True "}) is None

    def test_nothing_is_imported_started_or_printed_for_it(self, tmp_path: Path) -> None:
        script = f"""
            import sys, threading
            sys.path.insert(0, {str(Path(__file__).parents[1])!r})
            from pathlib import Path
            from lineage_records import RUN, at, settings
            from floe_dagster.observability.lineage.observer import open_lineage
            from floe_dagster.observability.records import Outcome, RunEnded, RunStarted
            told = open_lineage(settings(Path({str(tmp_path)!r})), environ={{}})
            told.observe(RunStarted(RUN, at(0)))
            told.observe(RunEnded(RUN, at(0), at(1), Outcome.SUCCEEDED))
            told.flush(2)
            names = ("openlineage", "sqlglot", "requests", "dagster", "dbt", "opentelemetry")
            assert not [name for name in names if name in sys.modules], [n for n in names if n in sys.modules]
            assert threading.active_count() == 1
        """

        done = subprocess.run([sys.executable, "-c", dedent(script)], capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert len(read_events(tmp_path / "lineage" / f"{RUN.run_id}.jsonl")) == 2

    def test_a_folder_that_cannot_be_written_is_said_once(self, tmp_path: Path) -> None:
        (tmp_path / "lineage").write_text("a file")
        said: list[str] = []
        observers = Observers([observer(tmp_path, {})], warn=said.append)

        for _ in range(3):
            observers.observe(RunStarted(RUN, at(0)))
            observers.observe(AssetStarted(STEP, ("report",), at(1)))
        observers.flush()

        file = tmp_path / "lineage" / f"{RUN.run_id}.jsonl"
        assert said == [f"lineage: 2 dropped, {file} cannot be written: File exists"]


class TestReceiver:
    def test_events_arrive_in_their_order(self, tmp_path: Path, receiver: LineageReceiver) -> None:
        told = observer(tmp_path, {"OPENLINEAGE_URL": receiver.url, "OPENLINEAGE_API_KEY": API_KEY})

        run_an_asset(told)
        wait_for_events(receiver, 4)
        told.flush(2)

        check_events(receiver.events)
        assert [(event["job"]["name"], event["eventType"]) for event in receiver.events] == [
            ("shop", "START"), ("shop.report", "START"), ("shop.report", "COMPLETE"), ("shop", "COMPLETE"),
        ]  # fmt: skip
        assert set(receiver.paths) == {"/api/v1/lineage"}
        assert {headers["Authorization"] for headers in receiver.headers} == {f"Bearer {API_KEY}"}
        assert API_KEY not in json.dumps(receiver.events)
        assert told.collect_dropped() == 0
        assert not (tmp_path / "spool").exists()

    def test_openlineages_client_sends_the_same(
        self, tmp_path: Path, receiver: LineageReceiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "openlineage.yml").write_text("tags: {job: {stray: file}}")
        monkeypatch.chdir(tmp_path)
        plain = observer(tmp_path / "a", {"OPENLINEAGE_URL": receiver.url})
        run_an_asset(plain)
        wait_for_events(receiver, 4)
        expected, receiver.events = receiver.events, []
        config = tmp_path / "named.yml"
        config.write_text(f"transport: {{type: http, url: '{receiver.url}'}}\ntags: {{job: {{team: shop}}}}\n")

        client = observer(tmp_path / "b", {"OPENLINEAGE_CONFIG": str(config)})
        run_an_asset(client)
        wait_for_events(receiver, 4)  # it is imported first, which takes a second

        check_events(receiver.events)
        for event, other in zip(receiver.events, expected, strict=True):
            assert event["job"]["facets"].pop("tags")["tags"] == [{"key": "team", "value": "shop", "source": "USER"}]
            assert event["run"]["facets"].pop("tags")["tags"][0]["source"] == "OPENLINEAGE_CLIENT"
            assert without_empty(event) == without_empty(other)

    @pytest.mark.parametrize("answer", ["busy", "hang", "gone"])
    def test_what_does_not_arrive_is_kept_and_told_once(
        self, tmp_path: Path, receiver: LineageReceiver, answer: str
    ) -> None:
        if answer != "gone":
            receiver.answer = "hang" if answer == "hang" else "busy"
        url = closed_address() if answer == "gone" else receiver.url
        said: list[str] = []
        told = observer(tmp_path, {"OPENLINEAGE_URL": url})
        observers = Observers([told], warn=said.append)

        began = time.monotonic()
        run_an_asset(told)
        handing_over = time.monotonic() - began
        observers.flush()
        flushing = time.monotonic() - began

        assert handing_over < 0.5
        assert flushing < 2.5
        why = {
            "busy": "the backend answered 503 Service Unavailable",
            "hang": "the backend did not answer in time",
            "gone": "the backend could not be reached",
        }[answer]
        assert said == [f"lineage: 4 kept for `floe lineage replay`, {why}"]
        check_events(spooled(tmp_path))
        assert len(spooled(tmp_path)) == 4

    def test_what_waits_for_too_long_is_deleted_and_counted_in_the_log_of_the_run(
        self, tmp_path: Path, receiver: LineageReceiver
    ) -> None:
        receiver.answer = "busy"
        spool = tmp_path / "spool"
        spool.mkdir()
        long_ago = time.time() - 7200
        for number in range(203):
            file = spool / f"{number:03}.jsonl"
            file.write_bytes(b"{}\n")
            os.utime(file, (long_ago + number, long_ago + number))
        said: list[str] = []
        told = open_lineage(settings(tmp_path), environ={"OPENLINEAGE_URL": receiver.url}, note=said.append)
        assert told is not None

        told.observe(RunStarted(RUN, at(0)))

        told.observe(RunStarted(RUN, at(0)))
        told.flush(60)
        [once] = said
        assert once == (
            "lineage: events of 3 runs that were never sent were deleted, the oldest: "
            "those of 200 runs and 512 MiB are kept for `floe lineage replay`"
        )
        assert min(file.stem for file in spool.glob("[0-9]*")) == "003"

    @pytest.mark.usefixtures("_much_time")
    @pytest.mark.parametrize(
        ("status", "why"),
        [
            (400, "the backend answered 400 Bad Request"),
            (401, "the backend answered 401 Unauthorized"),
            (429, "the backend answered 429 Too Many Requests"),
            (302, "the backend answered 302 Found, which is not followed"),
            (599, "the backend answered 599"),
        ],
    )
    def test_what_the_receiver_has_answered_is_told(
        self, tmp_path: Path, receiver: LineageReceiver, status: int, why: str
    ) -> None:
        receiver.status = status
        address = receiver.url.replace("//", "//ada:lovelace@")

        said = told_of_one_event(tmp_path, {"OPENLINEAGE_URL": address, "OPENLINEAGE_API_KEY": API_KEY})

        assert said == [f"lineage: 1 kept for `floe lineage replay`, {why}"]
        assert (len(spooled(tmp_path)), receiver.events) == (1, [])

    @pytest.mark.usefixtures("_much_time")
    @pytest.mark.parametrize(
        ("environ", "why"),
        [
            ({"OPENLINEAGE_URL": "nonsense"}, "'nonsense' is no address that begins with http:// or https://"),
            (
                {
                    "OPENLINEAGE__TRANSPORT__TYPE": "http",
                    "OPENLINEAGE__TRANSPORT__URL": "https://127.0.0.1:9",
                    "OPENLINEAGE__TRANSPORT__VERIFY": "/absent.pem",
                },
                "the certificate /absent.pem is not there",
            ),
        ],
    )
    def test_what_is_wrong_with_an_address_is_told(
        self, tmp_path: Path, environ: Mapping[str, str], why: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests prefers these to what a session says
            monkeypatch.delenv(name, raising=False)

        assert told_of_one_event(tmp_path, environ) == [f"lineage: 1 kept for `floe lineage replay`, {why}"]

    @pytest.mark.usefixtures("_much_time")
    def test_no_tls_where_there_is_none_is_told(self, tmp_path: Path, receiver: LineageReceiver) -> None:
        (said,) = told_of_one_event(tmp_path, {"OPENLINEAGE_URL": receiver.url.replace("http:", "https:")})

        assert "no TLS connection to the backend could be made" in said

    @pytest.mark.usefixtures("_much_time")
    def test_what_can_neither_be_sent_nor_kept_is_told_with_both_reasons(self, tmp_path: Path) -> None:
        (tmp_path / "spool").write_text("a file")

        said = told_of_one_event(tmp_path, {"OPENLINEAGE_URL": closed_address()})

        file = tmp_path / "spool" / f"{RUN.run_id}.jsonl"
        why = f"they could not be kept, {file} cannot be written: File exists"
        assert said == [f"lineage: 1 dropped, the backend could not be reached; {why}"]

    def test_a_refused_event_is_kept_and_the_next_one_sent(self, tmp_path: Path, receiver: LineageReceiver) -> None:
        receiver.answer = "refuse"
        told = observer(tmp_path, {"OPENLINEAGE_URL": receiver.url})
        told.observe(RunStarted(RUN, at(0)))
        told.flush(5)
        receiver.answer = "take"

        told.observe(AssetStarted(STEP, ("report",), at(1)))
        told.observe(RunEnded(RUN, at(0), at(3), Outcome.SUCCEEDED))
        wait_for_events(receiver, 1)
        told.flush(2)

        # The run's end follows its beginning: alone it would come before it.
        assert [event["eventType"] for event in spooled(tmp_path)] == ["START", "COMPLETE"]
        assert [event["job"]["name"] for event in receiver.events] == ["shop.report"]
        assert told.collect_dropped() == 2

    @pytest.mark.usefixtures("_much_time")
    def test_what_follows_an_event_that_was_kept_is_kept_with_that_reason(
        self, tmp_path: Path, receiver: LineageReceiver
    ) -> None:
        said: list[str] = []
        observers = Observers([observer(tmp_path, {"OPENLINEAGE_URL": receiver.url})], warn=said.append)
        receiver.answer = "busy"
        observers.observe(RunStarted(RUN, at(0)))
        observers.flush(30)
        receiver.answer = "take"

        observers.observe(RunEnded(RUN, at(0), at(3), Outcome.SUCCEEDED))
        observers.flush(30)

        assert said == [
            "lineage: 1 kept for `floe lineage replay`, the backend answered 503 Service Unavailable",
            "lineage: 1 kept for `floe lineage replay`, an event that belongs before them did not arrive",
        ]

    def test_a_full_queue_keeps_what_comes_last(self, tmp_path: Path, receiver: LineageReceiver) -> None:
        receiver.answer = "hang"
        told = observer(tmp_path, {"OPENLINEAGE_URL": receiver.url})

        for number in range(2600):
            told.observe(RunStarted(RunScope(f"run-{number}", "nightly"), at(0)))

        assert told.collect_dropped() >= 344  # 2000 wait, and 256 may be on their way
        told.flush(0.1)
        assert len(list((tmp_path / "spool").iterdir())) == 2600


def without_empty(event: Any) -> Any:
    """The event without what OpenLineage's client leaves out or adds when it is empty."""
    if isinstance(event, dict):
        return {key: without_empty(value) for key, value in event.items() if value not in ({}, None)}
    return [without_empty(item) for item in event] if isinstance(event, list) else event
