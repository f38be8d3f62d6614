"""Where spans are sent: what OpenTelemetry's environment variables say, else platform.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from floe_core.schemas.platform_spec import Observability
from floe_dagster.observability.tracing.span_data import Attributes
from floe_dagster.secrets import read_text

Protocol: TypeAlias = Literal["grpc", "http/protobuf"]

_GRPC_PORT = 4317
_HTTP_PATH = "/v1/traces"
_LONGEST_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class OtlpTarget:
    """A collector.

    Args:
        protocol: How it is spoken to.
        endpoint: Its whole address; None where the exporter reads it from the environment.
        headers: Of every request, beside those that the exporter reads from the environment.
        timeout: Seconds for each attempt to send something.
    """

    protocol: Protocol
    endpoint: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = _LONGEST_TIMEOUT

    @classmethod
    def of(cls, environ: Mapping[str, str], platform: Observability) -> "OtlpTarget | None":
        """Where to send spans; None where neither says, or where OTEL_TRACES_EXPORTER asks for none.

        Raises:
            LoadError: A secret of a header is not set.
        """
        own = _of_signal(environ, "ENDPOINT")
        timeout = _read_timeout(_of_signal(environ, "TIMEOUT"))
        if own or (_exporter(environ) == "otlp" and platform.otlp_endpoint is None):
            return cls(_protocol(environ, own), timeout=timeout)
        if platform.otlp_endpoint is None:
            return None
        protocol = platform.otlp_protocol or _protocol(environ, platform.otlp_endpoint)
        if _of_signal(environ, "PROTOCOL"):
            protocol = _protocol(environ, platform.otlp_endpoint)
        headers = {name.lower(): read_text(value) for name, value in platform.otlp_headers.items()}
        headers |= _pairs(_of_signal(environ, "HEADERS"))
        endpoint = platform.otlp_endpoint
        if protocol == "http/protobuf" and not urlsplit(endpoint).path.endswith(_HTTP_PATH):
            endpoint = endpoint.rstrip("/") + _HTTP_PATH
        return cls(protocol, endpoint, tuple(sorted(headers.items())), timeout)


def is_switched_off(environ: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's variables ask for no traces at all."""
    return environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or _exporter(environ) == "none"


def resource_attributes(environ: Mapping[str, str], *, pipeline: str) -> Attributes:
    """What all spans of the project are told by: OTEL_RESOURCE_ATTRIBUTES, and the project's name as the service's."""
    named = {name: unquote(value) for name, value in _pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")).items()}
    service = environ.get("OTEL_SERVICE_NAME") or named.get("service.name") or pipeline
    return {**named, "service.name": service}


def _of_signal(environ: Mapping[str, str], name: str) -> str:
    """The variable for traces, else that for all signals; an empty one says nothing."""
    return environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or environ.get(f"OTEL_EXPORTER_OTLP_{name}") or ""


def _exporter(environ: Mapping[str, str]) -> str:
    return environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()


def _protocol(environ: Mapping[str, str], endpoint: str) -> Protocol:
    """What the environment says, else gRPC for its usual port; OTLP's JSON has no exporter here."""
    named = _of_signal(environ, "PROTOCOL").strip().lower()
    if named:
        return "grpc" if named == "grpc" else "http/protobuf"
    try:
        port = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}").port
    except ValueError:
        port = None
    return "grpc" if port == _GRPC_PORT else "http/protobuf"


def _read_timeout(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return _LONGEST_TIMEOUT
    return min(seconds, _LONGEST_TIMEOUT) if seconds > 0 else _LONGEST_TIMEOUT


def _pairs(text: str) -> dict[str, str]:
    """`a=1,b=2` as OpenTelemetry's variables have it; what is no pair is left out."""
    parts = (part.partition("=") for part in text.split(",") if "=" in part)
    return {name.strip(): value.strip() for name, _, value in parts if name.strip()}
