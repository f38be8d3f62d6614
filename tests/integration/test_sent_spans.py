"""Spans sent to collectors by OpenTelemetry's own exporters: those that take them, and those that do not."""

import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from floe_core.schemas.platform_spec import Observability
from floe_dagster.observability.observers import Observers
from floe_dagster.observability.opening import open_observers
from floe_dagster.observability.records import Outcome, RunStarted
from floe_dagster.observability.settings import ObservabilitySettings
from floe_dagster.observability.tracing import sinks
from observed_records import BROKEN, PARENT_RUN_ID, RUN, START, node_ended, run_ended, step_ended
from otlp_receiver import OtlpReceiver, attributes, closed_port, grpc_receiver, http_receiver

Receive = Callable[..., AbstractContextManager[OtlpReceiver]]

RECEIVERS = pytest.mark.parametrize("receive", [http_receiver, grpc_receiver], ids=["http", "grpc"])
NO_LINEAGE = {"OPENLINEAGE_DISABLED": "true"}


@pytest.fixture(autouse=True)
def _senders_of_this_test() -> Iterator[None]:
    sinks._sender.cache_clear()
    yield
    sinks._sender.cache_clear()


@pytest.fixture
def _much_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes seconds to import what sends."""
    monkeypatch.setattr("floe_dagster.observability.background._PATIENCE", 60.0)


def observers_of(folder: Path, warnings: list[str], **fields: Any) -> Observers:
    settings = ObservabilitySettings("shop", "floe", folder, Observability.model_validate(fields))
    return open_observers(settings, environ=NO_LINEAGE, warn=warnings.append)


def protocol_of(receive: Receive) -> str:
    return "grpc" if receive is grpc_receiver else "http/protobuf"


@RECEIVERS
def test_spans_arrive_as_they_were_observed(receive: Receive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_KEY", "k3y")
    warnings: list[str] = []
    with receive() as receiver:
        observers = observers_of(
            tmp_path,
            warnings,
            otlp_endpoint=receiver.endpoint,
            otlp_protocol=protocol_of(receive),
            otlp_headers={"X-Key": {"secret_ref": "COLLECTOR_KEY"}},
        )
        observers.observe(RunStarted(RUN, START))
        observers.observe(node_ended(rows=4))
        observers.observe(step_ended(outcome=Outcome.FAILED, error=BROKEN, assets=[("bronze", "orders")]))
        observers.observe(run_ended(parent_run_id=PARENT_RUN_ID, outcome=Outcome.FAILED, error=BROKEN))
        observers.flush(30)

    run, step, node = (receiver.by_name[name] for name in ("run nightly", "step bronze_orders", "model orders"))
    assert run.trace_id == step.trace_id == node.trace_id == bytes.fromhex(RUN.run_id.replace("-", ""))
    assert (run.parent_span_id, step.parent_span_id, node.parent_span_id) == (b"", run.span_id, step.span_id)
    assert (run.start_time_unix_nano, run.status.message) == (START, "no orders today")
    assert attributes(step)["dagster.asset_keys"] == ["bronze/orders"]
    assert attributes(node)["dbt.rows_affected"] == 4
    assert [event.name for event in step.events] == ["exception"]
    assert [link.trace_id.hex() for link in run.links] == [PARENT_RUN_ID.replace("-", "")]
    assert receiver.resources[0] == {"service.name": "shop"}
    assert receiver.headers[0]["x-key"] == "k3y"
    assert warnings == []
    assert list(tmp_path.iterdir()) == []


@RECEIVERS
@pytest.mark.parametrize("behaviour", ["hangs", "is unavailable"])
def test_a_collector_that_is_not_well_is_told_of_once_in_two_seconds(
    receive: Receive, behaviour: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warnings: list[str] = []
    with receive(behaviour) as receiver:
        fields = {"otlp_endpoint": receiver.endpoint, "otlp_protocol": protocol_of(receive)}
        observers = observers_of(tmp_path, warnings, **fields)
        with caplog.at_level(logging.DEBUG):
            for number in range(10):
                observers.observe(step_ended(attempt=number))
                observers.flush()
        receiver.ended.set()

    assert receiver.spans == []
    lost = [int(warning.split()[1]) for warning in warnings]
    assert sum(lost) == 10
    why = {"hangs": "did not answer in time", "is unavailable": "answered (503 Service Unavailable|UNAVAILABLE)"}
    too_slow = "there was no time to connect to the backend"
    expected = rf"traces: \d+ dropped, (the backend {why[behaviour]}|{too_slow})"
    assert all(re.fullmatch(expected, warning) for warning in warnings), warnings
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.usefixtures("_much_time")
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_collector_that_is_not_there_costs_the_spans(protocol: str, tmp_path: Path) -> None:
    warnings: list[str] = []
    with closed_port() as endpoint:
        observers = observers_of(tmp_path, warnings, otlp_endpoint=endpoint, otlp_protocol=protocol)
        observers.observe(step_ended())
        observers.observe(run_ended())
        observers.flush(60)

    assert warnings == ["traces: 2 dropped, the backend could not be reached"]


@pytest.mark.usefixtures("_much_time")
@pytest.mark.parametrize(
    ("status", "why"),
    [
        (302, "the backend answered 302 Found, which is not followed"),
        (307, "the backend answered 307 Temporary Redirect, which is not followed"),
        (400, "the backend answered 400 Bad Request"),
        (401, "the backend answered 401 Unauthorized"),
        (429, "the backend answered 429 Too Many Requests"),
    ],
)
def test_what_a_collector_has_answered_is_told(status: int, why: str, tmp_path: Path) -> None:
    warnings: list[str] = []
    with http_receiver() as receiver:
        receiver.status = status
        observers = observers_of(tmp_path, warnings, otlp_endpoint=receiver.endpoint, otlp_headers={"x-key": "k3y"})
        observers.observe(run_ended())
        observers.flush(30)

    assert warnings == [f"traces: 1 dropped, {why}"]


@pytest.mark.usefixtures("_much_time")
@pytest.mark.parametrize(
    ("endpoint", "certificate", "why"),
    [
        ("nonsense", None, "'nonsense/v1/traces' is no address that begins with http:// or https://"),
        ("https://127.0.0.1:9", "/absent.pem", "the certificate /absent.pem is not there"),
        ("https://127.0.0.1:4317", "/absent.pem", "the certificate /absent.pem is not there"),
    ],
)
def test_what_is_wrong_with_the_address_of_a_collector_is_told(
    endpoint: str, certificate: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests prefers these to what the exporter says
        monkeypatch.delenv(name, raising=False)
    if certificate is not None:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate)
    warnings: list[str] = []
    settings = ObservabilitySettings("shop", "floe", tmp_path)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    observers = open_observers(settings, environ={**os.environ, **NO_LINEAGE}, warn=warnings.append)
    observers.observe(run_ended())
    observers.flush(30)

    assert warnings == [f"traces: 1 dropped, {why}"]


def test_the_tracer_provider_of_the_process_is_left_alone(tmp_path: Path) -> None:
    own = _Recorder()
    provider = TracerProvider()
    provider.add_span_processor(own)
    before = trace._TRACER_PROVIDER
    trace._TRACER_PROVIDER = provider
    try:
        with http_receiver() as receiver:
            observers = observers_of(tmp_path, [], otlp_endpoint=receiver.endpoint)
            observers.observe(run_ended())
            observers.flush(30)
        assert trace.get_tracer_provider() is provider
    finally:
        trace._TRACER_PROVIDER = before

    assert len(receiver.spans) == 1
    assert own.calls == []


def test_nothing_configured_needs_no_thread_no_socket_and_no_sdk(tmp_path: Path) -> None:
    script = f"""
import socket, sys, threading
sys.path.insert(0, {str(Path(__file__).parents[1])!r})

def refuse(*args, **kwargs):
    raise AssertionError("a socket")

socket.socket.connect = refuse
from pathlib import Path
from floe_dagster.observability.opening import open_observers
from floe_dagster.observability.settings import ObservabilitySettings
from observed_records import *
observers = open_observers(ObservabilitySettings("shop", "floe", Path({str(tmp_path)!r})), environ={{}}, warn=print)
for record in (step_ended(), asset_ended(), node_ended(), run_ended()):
    observers.observe(record)
observers.flush()
assert threading.active_count() == 1, threading.enumerate()
assert not {{"opentelemetry.sdk", "opentelemetry.exporter", "openlineage"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len((tmp_path / "traces" / f"{RUN.run_id}.jsonl").read_text().splitlines()) == 4


def test_definitions_load_without_what_sends_spans_and_lineage(tmp_path: Path) -> None:
    """Also those of a process that carries out a step: whether it sends anything is known when it does."""
    (tmp_path / "floe.yaml").write_text("name: shop\norchestration: {asset_modules: [shop]}\n")
    (tmp_path / "shop.py").write_text("import dagster as dg\n\n@dg.asset\ndef orders():\n    pass\n")
    script = """
import os, sys
from pathlib import Path
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType
from floe_core.project import ProjectFolder
from floe_dagster.compilation import compile_project
from floe_dagster.definitions import FloeDefinitions
project = ProjectFolder(Path.cwd())
compile_project(project, environ=os.environ)
for load_type in DefinitionsLoadType:
    DefinitionsLoadContext.set(DefinitionsLoadContext(load_type, repository_load_data=None))
    definitions = FloeDefinitions.from_compiled_artifacts(project.artifacts_file)
    definitions.get_repository_def().get_job("__ASSET_JOB")
assert not {"opentelemetry", "openlineage", "sqlglot", "grpc", "requests"} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_ends_although_its_collector_hangs(tmp_path: Path) -> None:
    """What has not been sent is given up when the interpreter ends, also by a thread that still tries."""
    with http_receiver("hangs") as receiver:
        script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from floe_core.schemas.platform_spec import Observability
from floe_dagster.observability.opening import open_observers
from floe_dagster.observability.settings import ObservabilitySettings
from observed_records import run_ended
platform = Observability(otlp_endpoint={receiver.endpoint!r})
settings = ObservabilitySettings("shop", "floe", Path({str(tmp_path)!r}), platform)
open_observers(settings, environ={NO_LINEAGE!r}, warn=print).observe(run_ended())
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class _Recorder(SpanProcessor):
    """Writes down what is asked of a user's own processor."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_start(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        self.calls.append("start")

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        del timeout_millis
        self.calls.append("flush")
        return True


def test_whoever_sends_to_one_collector_shares_a_thread(tmp_path: Path) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    with http_receiver() as receiver:
        for _ in range(3):
            observers = observers_of(tmp_path, [], otlp_endpoint=receiver.endpoint)
            observers.observe(run_ended())
        own = [thread for thread in threading.enumerate() if thread.ident not in before]
        observers.flush(30)

    assert [thread.name for thread in own].count("floe-traces") == 1
    assert len(receiver.spans) == 3
