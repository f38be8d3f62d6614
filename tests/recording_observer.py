"""An observer that keeps what it is told."""

from collections.abc import Mapping

from floe_dagster.observability.records import Record, RunScope


class RecordingObserver:
    """Keeps all records in their order, those that it is reminded of, and how often it was asked to send them."""

    name = "records"
    trouble = ""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.recalled: list[Record] = []
        self.flushes = 0

    def observe(self, record: Record) -> None:
        self.records.append(record)

    def recall(self, record: Record) -> None:
        self.recalled.append(record)

    def places(self, run: RunScope) -> Mapping[str, str]:
        return {}

    def flush(self, seconds: float) -> None:
        self.flushes += 1

    def collect_dropped(self) -> int:
        return 0
