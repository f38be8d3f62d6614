"""Where spans are sent: what OpenTelemetry's environment variables say, else platform.yaml."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args
from urllib.parse import unquote, urlsplit

from floe_core.schemas.platform_spec import Observability
from floe_dagster.observability.masking import without_credentials
from floe_dagster.observability.tracing.span_data import Attributes
from floe_dagster.secrets import read_text

Protocol: TypeAlias = Literal["grpc", "http/protobuf"]

_GRPC_PORT, _HTTP_PORT = 4317, 4318
_HTTP_PATH = "/v1/traces"
_EXPORTERS = frozenset({"otlp", "none"})
_LONGEST_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class OtlpTarget:
    """A collector.

    Args:
        protocol: How it is spoken to.
        endpoint: Its whole address; None where the exporter reads it from the environment.
        headers: Of every request, beside those that the exporter reads from the environment.
        timeout: Seconds for each attempt to send something.
        label: Where it is, for messages, without credentials.
        absent_files: Certificates that the environment names for it, and that are not there.
    """

    protocol: Protocol
    endpoint: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = _LONGEST_TIMEOUT
    label: str = field(default="", compare=False)
    absent_files: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, environ: Mapping[str, str], platform: Observability) -> "OtlpTarget | None":
        """Where to send spans; None where neither says, or where OTEL_TRACES_EXPORTER asks for none.

        Raises:
            LoadError: A secret of a header is not set.
        """
        own = _of_signal(environ, "ENDPOINT")
        timeout = _read_timeout(_of_signal(environ, "TIMEOUT"))
        if own or ("otlp" in _exporters(environ) and platform.otlp_endpoint is None):
            protocol = _protocol(environ, own)
            address = own or f"http://localhost:{_GRPC_PORT if protocol == 'grpc' else _HTTP_PORT}"
            absent = _absent_files(environ, address)
            return cls(protocol, timeout=timeout, label=without_credentials(address), absent_files=absent)
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
        label, absent = without_credentials(endpoint), _absent_files(environ, endpoint)
        return cls(protocol, endpoint, tuple(sorted(headers.items())), timeout, label, absent)


def is_switched_off(environ: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's variables ask for no traces at all."""
    return environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or "none" in _exporters(environ)


def find_unsupported(environ: Mapping[str, str], target: OtlpTarget | None) -> Iterator[str]:
    """What OpenTelemetry's variables ask for and floe does not do."""
    others = sorted(_exporters(environ) - _EXPORTERS)
    if others:
        yield f"OTEL_TRACES_EXPORTER names '{', '.join(others)}', which is not supported"
    protocol = _of_signal(environ, "PROTOCOL").strip()
    if target is not None and protocol and protocol.lower() not in get_args(Protocol):
        yield f"OTEL_EXPORTER_OTLP_PROTOCOL names '{protocol}', which is not supported"


def resource_attributes(environ: Mapping[str, str], *, pipeline: str) -> Attributes:
    """What all spans of the project are told by: OTEL_RESOURCE_ATTRIBUTES, and the project's name as the service's."""
    named = {name: unquote(value) for name, value in _pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")).items()}
    service = environ.get("OTEL_SERVICE_NAME") or named.get("service.name") or pipeline
    return {**named, "service.name": service}


def _of_signal(environ: Mapping[str, str], name: str) -> str:
    """The variable for traces, else that for all signals; an empty one says nothing."""
    return environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or environ.get(f"OTEL_EXPORTER_OTLP_{name}") or ""


def _absent_files(environ: Mapping[str, str], address: str) -> tuple[str, ...]:
    named = (_of_signal(environ, name) for name in ("CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE"))
    return tuple(name for name in named if name and address.startswith("https:") and not Path(name).is_file())


def _exporters(environ: Mapping[str, str]) -> frozenset[str]:
    named = (name.strip().lower() for name in environ.get("OTEL_TRACES_EXPORTER", "").split(","))
    return frozenset(name for name in named if name)


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
