"""Where lineage events go from a process: a local file, or a receiver with a spool behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from floe_dagster.observability.background import BackgroundSender
from floe_dagster.observability.lineage.connection import is_refusal, open_connection
from floe_dagster.observability.lineage.destination import Destination
from floe_dagster.observability.lineage.events import Event, event_line
from floe_dagster.observability.local.files import KEPT_BYTES, KEPT_RUNS, MIB, RunFiles

_LONGEST_QUEUE = 2000  # events of some ten kilobytes
_FOLLOWS = "an event that belongs before them did not arrive"


class EventSink(Protocol):
    """Takes events of a process, in their order."""

    def begin_run(self) -> str:
        """Make room: a run begins. What was lost by that, as a sentence; mostly empty."""

    def put(self, run_id: str, event: Event) -> None:
        """Take in an event of a Dagster run."""

    def flush(self, seconds: float) -> None:
        """Send what is waiting."""

    def collect_dropped(self) -> int:
        """How many events did not arrive since this was last asked."""

    @property
    def fate(self) -> str:
        """What became of those, as a word in a message."""

    @property
    def trouble(self) -> str:
        """Why they did not."""


class LocalSink:
    """A file for each run."""

    fate = "dropped"

    def __init__(self, folder: Path) -> None:
        self._files = RunFiles(folder)
        self._dropped = 0

    def begin_run(self) -> str:
        """Delete the files of the oldest runs, where there are many."""
        self._files.prune()
        return ""

    def put(self, run_id: str, event: Event) -> None:
        """Write the event."""
        self._dropped += not self._files.append(run_id, event_line(event))

    def flush(self, seconds: float) -> None:
        """Nothing: every event is written at once."""

    def collect_dropped(self) -> int:
        """How many events could not be written."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    @property
    def trouble(self) -> str:
        """See `RunFiles`."""
        return self._files.trouble


@dataclass(slots=True)
class _Outgoing:
    run_id: str
    event: Event
    is_settled: bool = False
    """Whether it was sent, or put into the spool."""


class SendingSink:
    """A receiver; what does not arrive is put into a folder, from which `floe lineage replay` sends it.

    Of one run of a lineage job, nothing is sent any more once an event of it was put there: events that arrive in
    another order than they were made would say that what has ended still goes on.
    """

    def __init__(self, destination: Destination, *, spool: Path) -> None:
        self._destination = destination
        self._spool = RunFiles(spool)
        self._spooled: set[str] = set()
        self._lost = 0
        self._is_lossy = False
        self._kept = 0
        self._refusal = ""
        self.trouble = ""
        self._sender: BackgroundSender[_Outgoing] = BackgroundSender(
            self._connect, name="floe-lineage", lose=self._keep, longest_queue=_LONGEST_QUEUE
        )

    def begin_run(self) -> str:
        """Delete the oldest of what was put away, where there is much: these events reach nobody any more."""
        deleted = self._spool.prune()
        if not deleted:
            return ""
        runs = "one run" if deleted == 1 else f"{deleted} runs"
        kept = f"those of {KEPT_RUNS} runs and {KEPT_BYTES // MIB} MiB are kept for `floe lineage replay`"
        return f"events of {runs} that were never sent were deleted, the oldest: {kept}"

    def put(self, run_id: str, event: Event) -> None:
        """Send the event sometime."""
        self._sender.put(_Outgoing(run_id, event))

    def flush(self, seconds: float) -> None:
        """Wait until everything is sent, and put away what is not."""
        self._sender.flush(seconds)

    def collect_dropped(self) -> int:
        """How many events were put away, or lost since there is no room for them."""
        unsent, refused = self._sender.collect_dropped(), self._kept
        why = [self._refusal if refused > 0 else "", self._sender.trouble if unsent else ""]
        self.trouble = "; ".join(dict.fromkeys(filter(None, why)))
        self._is_lossy = self._lost == unsent + refused
        if self._lost:
            which = "they" if self._is_lossy else f"{self._lost} of them"
            self.trouble += f"; {which} could not be kept, {self._spool.trouble}"
        self._kept = self._lost = 0
        self._refusal = ""
        return unsent + refused

    @property
    def fate(self) -> str:
        """What became of what did not arrive."""
        return "dropped" if self._is_lossy else "kept for `floe lineage replay`"

    def _connect(self) -> Callable[[Sequence[_Outgoing]], bool]:
        from floe_dagster.observability.sending_errors import describe_error  # noqa: PLC0415 - imports requests

        send = open_connection(self._destination)

        def send_all(batch: Sequence[_Outgoing]) -> bool:
            for outgoing in batch:
                if outgoing.is_settled:
                    continue
                if outgoing.event["run"]["runId"] in self._spooled:
                    self._refusal = self._refusal or _FOLLOWS
                    self._put_away(outgoing)
                    continue
                try:
                    send(outgoing.event)
                except Exception as error:  # noqa: BLE001 - any transport's: the event has not arrived
                    reason = describe_error(error, address=self._destination.label)
                    if not is_refusal(error):
                        self._sender.tell(reason)
                        return False
                    self._refusal = reason
                    self._put_away(outgoing)
                outgoing.is_settled = True
            return True

        return send_all

    def _put_away(self, outgoing: _Outgoing) -> None:
        self._kept += 1
        self._keep([outgoing])

    def _keep(self, items: Sequence[_Outgoing]) -> None:
        for outgoing in items:
            if outgoing.is_settled:
                self._kept -= 1  # sent, with others of its batch that were not
                continue
            outgoing.is_settled = True
            self._spooled.add(outgoing.event["run"]["runId"])
            self._lost += not self._spool.append(outgoing.run_id, event_line(outgoing.event))
