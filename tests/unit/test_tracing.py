import base64
import json
import os
import random
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest
from google.protobuf import json_format
from inline_snapshot import snapshot
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from floe_core.schemas.platform_spec import Observability
from floe_dagster.observability.local.files import RunFiles
from floe_dagster.observability.observers import Observers
from floe_dagster.observability.records import CheckFact, ErrorFact, Outcome, Record, RunStarted
from floe_dagster.observability.settings import ObservabilitySettings
from floe_dagster.observability.tracing.observer import TracingObserver, open_tracing
from floe_dagster.observability.tracing.otlp_export import SpanConversion
from floe_dagster.observability.tracing.otlp_json import encode_span
from floe_dagster.observability.tracing.otlp_target import OtlpTarget, resource_attributes
from floe_dagster.observability.tracing.sampling import Sampling
from floe_dagster.observability.tracing.spans import build_span
from observed_records import (
    BROKEN,
    NOT_SAMPLED,
    PARENT_RUN_ID,
    RUN,
    RUN_ID,
    START,
    TRACEPARENT,
    asset_ended,
    node_ended,
    run_ended,
    step_ended,
)

RESOURCE = {"service.name": "shop"}
CHECK = CheckFact(("bronze", "orders"), "has_rows", passed=False, severity="WARN")


def platform(**fields: object) -> Observability:
    return Observability.model_validate(fields)


def tracing(folder: Path, environ: Mapping[str, str] | None = None, **fields: object) -> TracingObserver:
    settings = ObservabilitySettings("shop", "floe", folder, platform(**fields))
    observer = open_tracing(settings, environ=environ or {})
    assert observer is not None
    return observer


# ---- the file format


@pytest.mark.parametrize(
    "record",
    [
        run_ended(parent_run_id=PARENT_RUN_ID, backfill_id="march", outcome=Outcome.FAILED, error=BROKEN),
        run_ended(traceparent=TRACEPARENT, outcome=Outcome.CANCELLED),
        step_ended(assets=[("bronze", "orders"), ("ü",)], outcome=Outcome.SKIPPED),
        asset_ended(rows=2**40, checks=[CHECK]),
        node_ended(compile_seconds=0.25, adapter_response={"ok": True}),
    ],
)
def test_a_line_is_what_opentelemetrys_own_encoder_would_send(record: Record) -> None:
    span = build_span(record)
    assert span is not None
    by_library = encode_spans([SpanConversion(Resource(RESOURCE), InstrumentationScope("floe", "1")).convert(span)])

    line = json.loads(encode_span(span, resource=RESOURCE, version="1"))

    by_library.resource_spans[0].scope_spans[0].spans[0].ClearField("flags")
    for link in by_library.resource_spans[0].scope_spans[0].spans[0].links:
        link.ClearField("flags")
    assert json_format.ParseDict(_with_base64_ids(line), ExportTraceServiceRequest()) == by_library


def _with_base64_ids(value: object) -> object:
    """OTLP's JSON writes ids in hexadecimal, protobuf's in base64."""
    match value:
        case dict():
            return {
                key: base64.b64encode(bytes.fromhex(item)).decode()
                if isinstance(item, str) and re.fullmatch("(trace|span|parentSpan)Id", key)
                else _with_base64_ids(item)
                for key, item in value.items()
            }
        case list():
            return [_with_base64_ids(item) for item in value]
        case _:
            return value


# ---- local files


def test_spans_are_kept_in_a_file_for_each_run(tmp_path: Path) -> None:
    observer = tracing(tmp_path)

    for record in (RunStarted(RUN, START), step_ended(), run_ended(), run_ended(run_id=PARENT_RUN_ID)):
        observer.observe(record)

    assert len((tmp_path / "traces" / f"{RUN_ID}.jsonl").read_text().splitlines()) == 2
    assert len((tmp_path / "traces" / f"{PARENT_RUN_ID}.jsonl").read_text().splitlines()) == 1
    assert observer.places(RUN) == {
        "trace": RUN_ID.replace("-", ""),
        "spans": str(tmp_path / "traces" / f"{RUN_ID}.jsonl"),
    }


def test_a_file_that_is_full_takes_no_more_lines(tmp_path: Path) -> None:
    files = RunFiles(tmp_path, largest=8)

    assert files.append("a", b"1234567")
    assert not files.append("a", b"8")
    assert files.append("b", b"1")
    assert files.path("a").read_bytes() == b"1234567\n"


def test_a_folder_that_cannot_be_written_is_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "traces").write_text("a file")
    said: list[str] = []
    observers = Observers([tracing(tmp_path)], warn=said.append)

    for record in (RunStarted(RUN, START), step_ended(), run_ended()):
        observers.observe(record)
    observers.flush()

    file = tmp_path / "traces" / f"{RUN_ID}.jsonl"
    assert said == [f"traces: 2 dropped, {file} cannot be written: File exists"]


def test_a_full_disk_is_told_with_the_number_of_spans(tmp_path: Path) -> None:
    file = tmp_path / "traces" / f"{RUN_ID}.jsonl"
    file.parent.mkdir()
    file.symlink_to("/dev/full")
    said: list[str] = []
    observers = Observers([tracing(tmp_path)], warn=said.append)

    for attempt in range(3):
        observers.observe(step_ended(attempt=attempt))
    observers.flush()

    assert said == [f"traces: 3 dropped, {file} cannot be written: No space left on device"]


def test_a_line_that_the_disk_has_half_room_for_leaves_no_half_line(tmp_path: Path) -> None:
    script = f"""
        import resource
        from pathlib import Path
        from floe_dagster.observability.local.files import RunFiles
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
        files = RunFiles(Path({str(tmp_path)!r}))
        print([files.append("a", line) for line in (b"123456789", b"1234567890123", b"12345678", b"9012")])
        print(files.trouble)
    """

    done = subprocess.run([sys.executable, "-c", dedent(script)], capture_output=True, text=True, check=True)

    assert (tmp_path / "a.jsonl").read_bytes() == b"123456789\n12345678\n"
    assert done.stdout == f"[True, False, True, False]\n{tmp_path / 'a.jsonl'} cannot be written: File too large\n"


def test_the_newest_files_stay_and_those_in_use(tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    for age, name in enumerate(("newest", "new", "old", "oldest")):
        files.append(name, b"1234567")
        written_at = time.time() - age * 7200
        _set_time(files.path(name), written_at)

    for name in ("newest", "oldest", "gone"):
        (tmp_path / f"{name}.sent").write_text("8")

    assert files.prune(runs=2) == 2
    (tmp_path / "newest.sent").unlink()  # the only one that is left
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["new", "newest"]
    files.prune(kept_bytes=8)
    assert [file.stem for file in tmp_path.iterdir()] == ["newest"]
    files.prune(runs=0)
    assert [file.stem for file in tmp_path.iterdir()] == ["newest"]


def _set_time(file: Path, seconds: float) -> None:
    os.utime(file, (seconds, seconds))


# ---- what is kept out of spans


def test_no_credentials_are_in_a_span(tmp_path: Path) -> None:
    message = "connect to postgresql://ada:lovelace@db failed for key s3cr3t-value"
    observer = tracing(tmp_path, {"DB_PASSWORD": "s3cr3t-value"})

    observer.observe(step_ended(outcome=Outcome.FAILED, error=ErrorFact("IOError", message, message)))

    written = (tmp_path / "traces" / f"{RUN_ID}.jsonl").read_text()
    assert "lovelace" not in written
    assert "s3cr3t-value" not in written
    assert "failed for key" in written


def test_no_text_makes_a_span_unwritable_or_huge(tmp_path: Path) -> None:
    observer = tracing(tmp_path)

    observer.observe(step_ended(outcome=Outcome.FAILED, error=ErrorFact("Error", "\udcff" + "x" * 10**6)))

    line = (tmp_path / "traces" / f"{RUN_ID}.jsonl").read_bytes()
    assert len(line) < 100_000
    assert json.loads(line)


# ---- which runs are traced


@pytest.mark.parametrize(
    ("environ", "share", "traceparent", "expected"),
    [
        ({}, 1.0, None, True),
        ({}, 0.0, None, False),
        ({}, 0.0, TRACEPARENT, True),
        ({}, 1.0, NOT_SAMPLED, False),
        ({"OTEL_TRACES_SAMPLER": ""}, 0.0, None, False),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, 0.0, NOT_SAMPLED, True),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, 1.0, TRACEPARENT, False),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, 1.0, TRACEPARENT, True),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, 1.0, None, False),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, 1.0, TRACEPARENT, False),
        ({"OTEL_TRACES_SAMPLER": "traceidratio"}, 0.0, None, True),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "x"}, 0.0, None, True),
        ({"OTEL_TRACES_SAMPLER": "vendors_own"}, 0.0, None, True),
    ],
)
def test_which_runs_are_traced(
    environ: Mapping[str, str], share: float, traceparent: str | None, *, expected: bool
) -> None:
    sampling = Sampling.of(environ, share=share)

    assert sampling.takes(replace(RUN, traceparent=traceparent)) is expected


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_of_the_runs_is_traced(share: float) -> None:
    sampling = Sampling(share)

    taken = sum(sampling.takes(replace(RUN, run_id=_run_id(number))) for number in range(2000))

    assert taken / 2000 == pytest.approx(share, abs=0.04)


def _run_id(number: int) -> str:
    return str(uuid.UUID(int=random.Random(number).getrandbits(128), version=4))


def test_a_run_that_is_not_traced_leaves_nothing(tmp_path: Path) -> None:
    observer = tracing(tmp_path, sampling=0)

    observer.observe(RunStarted(RUN, START))
    observer.observe(run_ended())

    assert list(tmp_path.iterdir()) == []
    assert observer.places(RUN) == {}


# ---- where spans are sent


@pytest.mark.parametrize(
    ("environ", "fields", "expected"),
    [
        ({}, {}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, {}, None),
        ({}, {"otlp_endpoint": "http://c:4318"}, OtlpTarget("http/protobuf", "http://c:4318/v1/traces")),
        ({}, {"otlp_endpoint": "http://c/otlp/v1/traces"}, OtlpTarget("http/protobuf", "http://c/otlp/v1/traces")),
        ({}, {"otlp_endpoint": "http://c:4317"}, OtlpTarget("grpc", "http://c:4317")),
        ({}, {"otlp_endpoint": "http://c:9", "otlp_protocol": "grpc"}, OtlpTarget("grpc", "http://c:9")),
        (
            {},
            {"otlp_endpoint": "http://c:4317", "otlp_headers": {"X-Team": "data"}},
            OtlpTarget("grpc", "http://c:4317", (("x-team", "data"),)),
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e:4317"}, {"otlp_endpoint": "http://c"}, OtlpTarget("grpc")),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
            {},
            OtlpTarget("http/protobuf"),
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e"},
            {"otlp_endpoint": "http://c", "otlp_headers": {"X-Team": "data"}},
            OtlpTarget("http/protobuf"),
        ),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-team=env"},
            {"otlp_endpoint": "http://c:4317", "otlp_headers": {"X-Team": "data"}},
            OtlpTarget("grpc", "http://c:4317", (("x-team", "env"),)),
        ),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "e:4317", "OTEL_EXPORTER_OTLP_TIMEOUT": "0.5"},
            {},
            OtlpTarget("grpc", timeout=0.5),
        ),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TIMEOUT": "60"}, {}, OtlpTarget("http/protobuf")),
    ],
)
def test_opentelemetrys_variables_win_over_platform_yaml(
    environ: Mapping[str, str], fields: Mapping[str, object], expected: OtlpTarget | None
) -> None:
    assert OtlpTarget.of(environ, platform(**fields)) == expected


@pytest.mark.parametrize("environ", [{"OTEL_SDK_DISABLED": "TRUE"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_opentelemetrys_variables_switch_traces_off(environ: Mapping[str, str], tmp_path: Path) -> None:
    assert open_tracing(ObservabilitySettings("shop", "floe", tmp_path), environ=environ) is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "carrier-pigeon"}, []),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "carrier-pigeon", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://ada:l@c:4317"},
            [
                (
                    "traces: OTEL_EXPORTER_OTLP_PROTOCOL names 'carrier-pigeon', which is not supported; "
                    "spans go to http://c:4317 by http/protobuf"
                )
            ],
        ),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "GRPC", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, []),
        (
            {"OTEL_TRACES_EXPORTER": "zipkin,console"},
            ["traces: OTEL_TRACES_EXPORTER names 'console, zipkin', which is not supported; spans go to FOLDER/traces"],
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp,console"},
            [
                (
                    "traces: OTEL_TRACES_EXPORTER names 'console', which is not supported; "
                    "spans go to http://localhost:4318 by http/protobuf"
                )
            ],
        ),
    ],
)
def test_what_is_not_done_as_variables_say_is_told(
    environ: Mapping[str, str], expected: list[str], tmp_path: Path
) -> None:
    said: list[str] = []

    open_tracing(ObservabilitySettings("shop", "floe", tmp_path), environ=environ, note=said.append)

    assert [note.replace(str(tmp_path), "FOLDER") for note in said] == expected


def test_a_secret_of_a_header_is_read_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_KEY", "k")
    asked = platform(otlp_endpoint="http://c", otlp_headers={"api-key": {"secret_ref": "COLLECTOR_KEY"}})

    target = OtlpTarget.of({}, asked)

    assert target is not None
    assert target.headers == (("api-key", "k"),)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {"service.name": "shop"}),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "team=data%20platform, deployment.environment.name=dev,broken"},
            snapshot(
                {"team": "data platform", "deployment.environment.name": "dev", "service.name": "shop"},
            ),
        ),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=a"}, {"service.name": "a"}),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=a", "OTEL_SERVICE_NAME": "b"}, {"service.name": "b"}),
    ],
)
def test_spans_say_which_project_they_are_of(environ: Mapping[str, str], expected: Mapping[str, str]) -> None:
    assert resource_attributes(environ, pipeline="shop") == expected
