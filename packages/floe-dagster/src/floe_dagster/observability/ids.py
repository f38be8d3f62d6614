"""Ids of traces, spans and lineage runs: functions of what they are about.

So every process of a run, and whoever looks at it later, computes the same ids; nothing is stored, asked for or sent.
"""

import hashlib
import uuid
from functools import lru_cache

_NAMESPACE = uuid.UUID("6f9b3c52-0d5e-5a84-9d3e-7c1f0e6b7a11")


@lru_cache(maxsize=64)  # each span of a run asks for it
def trace_id(run_id: str) -> int:
    """The id of a Dagster run's trace, 128 bits: the run's id, read as a number.

    >>> f"{trace_id('2f1c7f5e-7a44-4d0b-9c0b-5c9d1c3f8f10'):032x}"
    '2f1c7f5e7a444d0b9c0b5c9d1c3f8f10'
    """
    try:
        found = uuid.UUID(run_id).int
    except ValueError:
        found = int.from_bytes(_digest("trace", run_id)[:16])
    return found or 1  # zero is no id


def span_id(kind: str, *parts: object) -> int:
    """The id of a span, 64 bits.

    Args:
        kind: `run`, `step`, `asset`, `check`, `call`, `node`, `batch` or `backfill`.
        parts: What tells it from the others of its kind: the run's id first, then step, attempt and so on.
    """
    return int.from_bytes(_digest(kind, *parts)[:8]) or 1


def lineage_run_id(*parts: object) -> str:
    """The run id of a lineage job within a Dagster run, a UUID of version 5.

    The Dagster run itself has its own id.
    """
    return str(uuid.uuid5(_NAMESPACE, _joined(parts)))


def _digest(*parts: object) -> bytes:
    return hashlib.sha256(_joined(parts).encode()).digest()


def _joined(parts: tuple[object, ...]) -> str:
    return "\0".join(map(str, parts))
