"""Where lineage events go: decided from variables and platform.yaml, before anything of OpenLineage is imported."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from floe_core.schemas.platform_spec import Observability
from floe_core.yaml_source import load_foreign_yaml
from floe_dagster.observability.masking import without_credentials
from floe_dagster.observability.observers import Warn, say_nothing
from floe_dagster.secrets import read_secret

ClientConfig: TypeAlias = dict[str, Any]
"""What `OpenLineageClient` is configured with; its `transport` names a type."""

_PREFIX = "OPENLINEAGE__"
_PLAIN = frozenset({"type", "url", "endpoint", "auth", "timeout", "retry", "verify", "custom_headers"})
_SECONDS = 2.0
_NO_RETRY = {"total": 0, "read": 0, "connect": 0}


@dataclass(frozen=True)
class Destination:
    """A receiver of events, or anything else that OpenLineage has a transport to."""

    config: ClientConfig = field(repr=False)

    @property
    def is_plain(self) -> bool:
        """Whether it is an HTTP address with at most a key: nothing that only OpenLineage's client knows to do."""
        transport = self.config["transport"]
        auth = transport.get("auth") or {}
        return (
            self.config.keys() == {"transport"}
            and transport["type"] == "http"
            and transport.keys() <= _PLAIN
            and transport["retry"] == _NO_RETRY
            and (not auth or auth.get("type") == "api_key")
        )

    @property
    def label(self) -> str:
        """Where it is, for messages, without credentials."""
        transport = self.config["transport"]
        address = transport.get("url")
        return without_credentials(str(address)) if address else str(transport["type"])


def is_switched_off(environ: Mapping[str, str]) -> bool:
    """Whether OPENLINEAGE_DISABLED says so."""
    return environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true"


def find_destination(
    environ: Mapping[str, str], platform: Observability, *, note: Warn = say_nothing
) -> Destination | None:
    """Where events are sent: OpenLineage's variables win over platform.yaml; None where neither says anything.

    `openlineage.yml` counts only where OPENLINEAGE_CONFIG names it: a file that lies about decides nothing.

    Args:
        environ: The environment.
        platform: What platform.yaml says.
        note: Told what of it cannot be done.

    Raises:
        LoadError: The secret of `lineage_api_key` is not set.
    """
    config = _merge(_read_named_file(environ, note), _read_variables(environ))
    transport: dict[str, Any] = dict(config.get("transport") or {})
    url = environ.get("OPENLINEAGE_URL")
    own = _http(url, environ.get("OPENLINEAGE_ENDPOINT"), environ.get("OPENLINEAGE_API_KEY")) if url else {}
    kind = transport.get("type")
    if kind == "composite" and own and isinstance(transport.get("transports"), Mapping):
        transport["transports"] = {"default_http": own, **transport["transports"]}
    elif kind in ("http", "async_http"):
        transport = {**own, **transport}
    elif not kind and own:
        transport = {**own, **{key: value for key, value in transport.items() if key != "transports"}}
    elif not kind and platform.lineage_endpoint:
        key = read_secret(platform.lineage_api_key) if platform.lineage_api_key is not None else None
        transport = _http(str(platform.lineage_endpoint), None, key)
    if transport.get("type") == "console":
        note("OpenLineage's transport 'console' is not supported")
        return None
    if not transport.get("type"):
        return None
    return Destination({**config, "transport": _bounded(transport)})


def _http(url: str, endpoint: str | None, key: str | None) -> dict[str, Any]:
    return {
        "type": "http",
        "url": url,
        **({"endpoint": endpoint} if endpoint else {}),
        **({"auth": {"type": "api_key", "apiKey": key}} if key else {}),
    }


def _bounded(transport: Mapping[str, Any]) -> dict[str, Any]:
    """*transport* that gives up soon, where it does not say otherwise: OpenLineage's default is 39 seconds an event.

    `async_http` becomes `http`: events are sent from a thread of floe's own, which keeps what cannot be sent.
    """
    bounded = dict(transport)
    inner = bounded.get("transports")
    if isinstance(inner, Mapping):
        bounded["transports"] = {
            name: _bounded(item) if isinstance(item, Mapping) else item for name, item in inner.items()
        }
    elif isinstance(inner, list):
        bounded["transports"] = [_bounded(item) if isinstance(item, Mapping) else item for item in inner]
    if bounded.get("type") in ("http", "async_http"):
        return {"timeout": _SECONDS, "retry": _NO_RETRY, **bounded, "type": "http"}
    return bounded


def _read_named_file(environ: Mapping[str, str], note: Warn) -> ClientConfig:
    named = environ.get("OPENLINEAGE_CONFIG")
    if not named:
        return {}
    content = load_foreign_yaml(Path(named))
    if isinstance(content, Mapping):
        return dict(content)
    why = "is no YAML that holds settings by their names" if Path(named).exists() else "is not there"
    note(f"OPENLINEAGE_CONFIG names {named}, which {why}")
    return {}


def _read_variables(environ: Mapping[str, str]) -> ClientConfig:
    """What variables such as OPENLINEAGE__TRANSPORT__TYPE say, in the way in which OpenLineage reads them."""
    config: ClientConfig = {}
    for name in sorted((name for name in environ if name.startswith(_PREFIX)), reverse=True):
        *path, last = name.removeprefix(_PREFIX).lower().split("__")
        try:
            value: object = json.loads(environ[name])
        except ValueError:
            value = environ[name]
        place = config
        for part in path:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        place[last] = value
    return config


def _merge(first: ClientConfig, winning: ClientConfig) -> ClientConfig:
    merged = dict(first)
    for key, value in winning.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged
