"""A collector on this machine that keeps what it is sent, or does what collectors do that are not well."""

import gzip
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, TypeAlias

import grpc
import requests  # noqa: F401 - imported while another thread changes filters of warnings, its own would be errors
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Behaviour: TypeAlias = Literal["takes", "hangs", "is unavailable"]


@dataclass
class OtlpReceiver:
    """What arrived at a collector, and where it listens."""

    behaviour: Behaviour = "takes"
    endpoint: str = ""
    status: int = 200
    """What is answered over HTTP; with another than 200, nothing is kept."""
    spans: list[Span] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    resources: list[dict[str, str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def by_name(self) -> dict[str, Span]:
        return {span.name: span for span in self.spans}

    def take(self, request: ExportTraceServiceRequest, headers: dict[str, str]) -> None:
        self.headers.append(headers)
        for resource_spans in request.resource_spans:
            self.resources.append({item.key: item.value.string_value for item in resource_spans.resource.attributes})
            for scope_spans in resource_spans.scope_spans:
                self.spans.extend(scope_spans.spans)


@contextmanager
def http_receiver(behaviour: Behaviour = "takes") -> Iterator[OtlpReceiver]:
    """A collector that speaks OTLP over HTTP."""
    receiver = OtlpReceiver(behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.behaviour == "hangs":
                receiver.ended.wait(60)
                return
            if receiver.status != 200:
                self.send_response(receiver.status)
                self.send_header("Location", f"{receiver.endpoint}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if receiver.behaviour == "is unavailable" or self.path != "/v1/traces":
                self.send_response(503 if self.path == "/v1/traces" else 404)
                self.end_headers()
                return
            content = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            receiver.take(
                ExportTraceServiceRequest.FromString(content),
                {name.lower(): value for name, value in self.headers.items()},
            )
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by http.server
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def grpc_receiver(behaviour: Behaviour = "takes") -> Iterator[OtlpReceiver]:
    """A collector that speaks OTLP over gRPC."""
    receiver = OtlpReceiver(behaviour)

    class Servicer(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(  # noqa: N802 - named by the protocol
            self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
        ) -> ExportTraceServiceResponse:
            if receiver.behaviour == "hangs":
                receiver.ended.wait(60)
            if receiver.behaviour != "takes":
                context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
            receiver.take(request, {str(item.key): str(item.value) for item in context.invocation_metadata()})
            return ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Servicer(), server)  # type: ignore[no-untyped-call] # generated code
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    receiver.endpoint = f"http://127.0.0.1:{port}"
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.stop(None).wait()


@contextmanager
def closed_port() -> Iterator[str]:
    """An address that nobody listens at."""
    with socket.socket() as taken:  # bound and not listened at: no other process gets it meanwhile
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def attributes(span: Span) -> dict[str, object]:
    """The attributes of a span as plain values."""
    values: dict[str, object] = {}
    for item in span.attributes:
        kind = item.value.WhichOneof("value")
        value = getattr(item.value, kind)
        values[item.key] = [each.string_value for each in value.values] if kind == "array_value" else value
    return values
