"""The events that dbt adds to its log, read while it writes them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

Event: TypeAlias = Mapping[str, Any]

_WANTED = (b'"NodeStart"', b'"NodeFinished"', b'"GenericExceptionOnRun"')
_CHUNK = 1 << 20  # bytes read at once: the log of a large project does not stand in memory


class LogTail:
    """Reads what is added to a log: the events of one call that begin or end a node, or say what it raised.

    Args:
        file: Written by dbt, a line for each event; it need not be there yet.
        offset: Where the call's part begins: what is in the file before dbt starts is that of another.
    """

    def __init__(self, file: Path, *, offset: int = 0) -> None:
        self.unreadable = 0
        """Lines that should have been events."""
        self.invocation_id: str | None = None
        """That of the events that were read."""
        self.has_events = False
        """Whether it holds events of the call."""
        self.file = file
        self._offset = offset
        self._unfinished = b""

    @classmethod
    def at_end(cls, file: Path) -> "LogTail":
        """Reads what is added from now on."""
        try:
            return cls(file, offset=file.stat().st_size)
        except OSError:
            return cls(file)

    def read(self, invocation_id: str | None) -> Iterator[Event]:
        """The events that were added since the last time, of the call with that id. Only complete lines count.

        Where the id is not known, it is that of the first event.
        """
        self.invocation_id = invocation_id or self.invocation_id
        is_more = True
        while is_more and (chunk := self._read_chunk()):
            is_more = len(chunk) == _CHUNK
            *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
            for line in lines:
                if any(wanted in line for wanted in _WANTED):
                    event = self._parse(line)
                    if event is not None and self._is_of_call(event):
                        self.has_events = True
                        yield event

    def _read_chunk(self) -> bytes:
        """What is there to read; the file is not kept open, for who would close it."""
        try:
            with self.file.open("rb", buffering=0) as log:
                log.seek(self._offset)
                chunk = log.read(_CHUNK)
        except OSError:
            return b""
        self._offset += len(chunk)
        return chunk

    def _is_of_call(self, event: Event) -> bool:
        self.invocation_id = self.invocation_id or event["info"].get("invocation_id")
        return bool(event["info"].get("invocation_id") == self.invocation_id)

    def _parse(self, line: bytes) -> Event | None:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict) and isinstance(event.get("info"), dict) and isinstance(event.get("data"), dict):
            return event
        self.unreadable += 1
        return None
