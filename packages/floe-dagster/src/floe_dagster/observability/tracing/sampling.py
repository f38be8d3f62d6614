"""Which runs are traced: decided from the run alone, so that every process of it decides the same."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from floe_dagster.observability.records import RunScope
from floe_dagster.observability.tracing.run_trace import TraceParent, trace_id

_LIMIT = 2**64
_PARENT_BASED = "parentbased_"


@dataclass(frozen=True, slots=True)
class Sampling:
    """A sampler of OpenTelemetry.

    Args:
        share: Share of runs that are traced, from 0 to 1.
        follows_parent: Whether a run that continues a trace is traced where that trace is.
    """

    share: float = 1.0
    follows_parent: bool = True

    @classmethod
    def of(cls, environ: Mapping[str, str], *, share: float) -> "Sampling":
        """What OTEL_TRACES_SAMPLER says, else *share* of the runs; a sampler that is not known traces all of them."""
        name = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower()
        if not name:
            return cls(share)
        argument = _read_share(environ.get("OTEL_TRACES_SAMPLER_ARG", ""))
        shares = {"always_on": 1.0, "always_off": 0.0, "traceidratio": argument}
        return cls(shares.get(name.removeprefix(_PARENT_BASED), 1.0), follows_parent=name.startswith(_PARENT_BASED))

    def takes(self, run: RunScope) -> bool:
        """Whether *run* is traced."""
        parent = TraceParent.parse(run.traceparent)
        if parent is None:
            if self.share >= 1:
                return True
            # Half of the bits of a run's id are the same in all of them: its digest has the even spread.
            digest = hashlib.sha256(trace_id(run).to_bytes(16)).digest()
            return int.from_bytes(digest[:8]) < self.share * _LIMIT
        if self.follows_parent:
            return parent.is_sampled
        return parent.place.trace_id % _LIMIT < self.share * _LIMIT  # as OpenTelemetry's samplers decide elsewhere


def _read_share(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
