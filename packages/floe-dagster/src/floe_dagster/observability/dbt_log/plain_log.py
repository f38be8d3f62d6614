"""dbt's log as people read it, in place of the JSON that was read from it."""

import os
from collections.abc import Iterator
from pathlib import Path

import orjson

_LARGEST = 100_000_000  # bytes; what is larger stays as it is: nobody waits for that


def write_plain_log(log: Path) -> None:
    """Put the text that dbt's log would be by default in the place of *log*, a sixth of its size."""
    if log.stat().st_size > _LARGEST:
        return
    unfinished = log.with_name(f".{log.name}.{os.getpid()}")
    try:
        with log.open("rb") as events, unfinished.open("wb") as text:
            text.writelines(_texts(events))
        unfinished.replace(log)
    finally:
        unfinished.unlink(missing_ok=True)


def _texts(events: Iterator[bytes]) -> Iterator[bytes]:
    for line in events:
        try:
            info = orjson.loads(line)["info"]
            text = f"{_clock(info['ts'])} [{info['level']:<5}] [{info['thread']}]: {info['msg']}\n"
            if info["name"] == "MainReportVersion":
                text = f"{'=' * 30} {info['ts']} | {info['invocation_id']} {'=' * 30}\n{text}"
        except (ValueError, KeyError, TypeError):
            yield line  # what is no event is kept
        else:
            yield text.encode()


def _clock(moment: str) -> str:
    """The time of day, UTC."""
    return moment.partition("T")[2].rstrip("Z")
