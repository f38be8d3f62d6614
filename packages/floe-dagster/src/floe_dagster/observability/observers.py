"""Who observes a run, together: nothing that goes wrong with one reaches another, or the run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from floe_dagster.observability.records import Record, RunScope

SECONDS_TO_FLUSH = 2.0  # what a process waits at its end for what it has still to send

Warn = Callable[[str], None]


def say_nothing(_: str) -> None:
    """For who has been told before."""


class Observer(Protocol):
    """Makes something of the records of one process."""

    name: str
    """What it makes, for messages: `traces`, `lineage`."""

    def observe(self, record: Record) -> None:
        """Take in *record*; returns at once, whatever becomes of it."""

    def recall(self, record: Record) -> None:
        """Take in *record*, of which another process has told already: nothing is made of it once more."""

    def flush(self, seconds: float) -> None:
        """Send what is waiting, and give up after *seconds*."""

    def collect_dropped(self) -> int:
        """How many spans or events were lost since this was last asked."""

    @property
    def trouble(self) -> str:
        """Why they were."""


@runtime_checkable
class HasPlaces(Protocol):
    """An observer that can say where a run is found again."""

    def places(self, run: RunScope) -> Mapping[str, str]:
        """Where *run* is found, for its log: `{'trace': id, 'spans': file}`; empty where it is not observed."""


@runtime_checkable
class HasFate(Protocol):
    """An observer that keeps what it cannot send."""

    fate: str
    """What became of it, for messages: `dropped` where it is lost."""


class Observers:
    """All observers of a process.

    Args:
        observers: None of them, where nothing is to be observed.
        warn: Told of each kind of trouble once for each time between two calls of `flush`.
    """

    def __init__(self, observers: Sequence[Observer], *, warn: Warn) -> None:
        self._observers = tuple(observers)
        self._warn = warn
        self._told: set[tuple[str, type[BaseException]]] = set()

    def __bool__(self) -> bool:
        return bool(self._observers)

    def observe(self, record: Record) -> None:
        """Tell every observer of *record*."""
        for observer in self._observers:
            try:
                observer.observe(record)
            except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
                self._tell(observer, error)

    def recall(self, record: Record) -> None:
        """Remind every observer of *record*, of which another process has told."""
        for observer in self._observers:
            try:
                observer.recall(record)
            except Exception as error:  # noqa: BLE001 - see above
                self._tell(observer, error)

    def places(self, run: RunScope) -> Mapping[str, str]:
        """Where *run* is found again, from all observers that can say so."""
        known = (observer.places(run) for observer in self._observers if isinstance(observer, HasPlaces))
        return {name: place for places in known for name, place in places.items()}

    def flush(self, seconds: float = SECONDS_TO_FLUSH) -> None:
        """Send what is waiting, for *seconds* altogether, and say what was lost."""
        share = seconds / max(len(self._observers), 1)
        for observer in self._observers:
            try:
                observer.flush(share)
                dropped = observer.collect_dropped()
            except Exception as error:  # noqa: BLE001 - see above
                self._tell(observer, error)
                continue
            if dropped:
                fate = observer.fate if isinstance(observer, HasFate) else "dropped"
                self._warn(f"{observer.name}: {dropped} {fate}, {observer.trouble}")
        self._told.clear()

    def _tell(self, observer: Observer, error: Exception) -> None:
        kind = (observer.name, type(error))
        if kind not in self._told:
            self._told.add(kind)
            self._warn(f"{observer.name}: a record could not be observed: {type(error).__name__}: {error}")
