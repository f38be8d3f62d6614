import os
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from floe_dagster.observability.background import BackgroundSender, Send


class Backend:
    """Takes batches, or does not, as a test tells it."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.attempts = 0
        self.refusals = 0
        self.gate = threading.Event()
        self.gate.set()

    def connect(self) -> Send[int]:
        return self.send

    def send(self, batch: Sequence[int]) -> bool:
        self.attempts += 1
        self.gate.wait(30)
        if self.refusals:
            self.refusals -= 1
            return False
        self.taken.extend(batch)
        return True


@pytest.fixture
def backend() -> Backend:
    return Backend()


def test_what_is_put_arrives_in_its_order(backend: Backend) -> None:
    sender = BackgroundSender(backend.connect, name="test")

    for number in range(1000):
        sender.put(number)
    sender.flush(30)

    assert backend.taken == list(range(1000))
    assert sender.collect_dropped() == 0


def test_no_thread_runs_before_there_is_something_to_send(backend: Backend) -> None:
    sender = BackgroundSender(backend.connect, name="nothing to send")

    sender.flush(30)

    assert "nothing to send" not in {thread.name for thread in threading.enumerate()}


def test_what_finds_the_queue_full_is_dropped_and_counted_once(backend: Backend) -> None:
    backend.gate.clear()
    sender = BackgroundSender(backend.connect, name="test", longest_queue=10)
    sender.put(0)
    _wait_for(lambda: backend.attempts == 1)

    for number in range(1, 16):
        sender.put(number)

    assert sender.collect_dropped() == 5
    assert sender.collect_dropped() == 0
    backend.gate.set()
    sender.flush(30)
    assert backend.taken == list(range(11))


def test_a_backend_that_hangs_is_waited_for_once(backend: Backend) -> None:
    backend.gate.clear()
    sender = BackgroundSender(backend.connect, name="test")
    sender.put(1)

    sender.flush(0.01)
    sender.put(2)
    sender.flush(0)

    assert sender.collect_dropped() == 2
    backend.gate.set()
    sender.put(3)
    sender.flush(30)
    assert 3 in backend.taken


def test_the_patience_of_a_process_is_bounded_altogether(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("floe_dagster.observability.background._PATIENCE", 0.1)
    backend.gate.clear()
    sender = BackgroundSender(backend.connect, name="test")

    began = time.monotonic()

    for number in range(200):
        sender.put(number)
        sender.flush(60)

    assert sender.collect_dropped() == 200
    assert time.monotonic() - began < 10  # twice that if each were waited for
    backend.gate.set()


def test_a_batch_that_is_refused_is_dropped_when_somebody_waits(backend: Backend) -> None:
    backend.refusals = 1
    lost: list[int] = []
    sender = BackgroundSender(backend.connect, name="test", lose=lost.extend)
    sender.put(1)
    sender.put(2)

    sender.flush(30)

    assert sender.collect_dropped() == 2
    assert lost == [1, 2]


def test_a_batch_that_is_refused_is_tried_again(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("floe_dagster.observability.background._FIRST_PAUSE", 0.01)
    monkeypatch.setattr("floe_dagster.observability.background._SECONDS_TO_GATHER", 0.01)
    backend.refusals = 2
    sender = BackgroundSender(backend.connect, name="test")

    sender.put(1)
    _wait_for(lambda: backend.taken == [1])

    assert backend.attempts == 3
    assert sender.collect_dropped() == 0


def test_a_batch_that_is_refused_again_and_again_is_dropped(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("floe_dagster.observability.background._FIRST_PAUSE", 0.01)
    monkeypatch.setattr("floe_dagster.observability.background._SECONDS_TO_GATHER", 0.01)
    backend.refusals = 3
    sender = BackgroundSender(backend.connect, name="test")

    sender.put(1)
    _wait_for(lambda: backend.attempts == 3)
    sender.put(2)
    _wait_for(lambda: backend.taken == [2])

    assert sender.collect_dropped() == 1


def test_a_backend_that_cannot_be_connected_to_costs_what_was_put_and_nothing_else() -> None:
    def connect() -> Send[int]:
        raise ImportError("no library for https://me:secret@backend")

    sender = BackgroundSender(connect, name="test")
    sender.put(1)
    sender.flush(30)

    assert sender.collect_dropped() == 1
    assert sender.trouble == "nothing can be sent: ImportError: no library for https://backend"


def test_a_sender_that_raises_is_one_that_refuses() -> None:
    def send(batch: Sequence[int]) -> bool:
        raise ValueError(batch)

    sender = BackgroundSender(lambda: send, name="test")
    sender.put(1)
    sender.flush(30)

    assert sender.collect_dropped() == 1
    assert sender.trouble == "sending raised ValueError"


def test_the_last_reason_is_told_for_what_it_cost(backend: Backend) -> None:
    sender: BackgroundSender[int]

    def send(batch: Sequence[int]) -> bool:
        sender.tell(f"the backend answered {batch[0]}")
        return batch[0] == 200

    sender = BackgroundSender(lambda: send, name="test")
    for status, expected in ((401, "the backend answered 401"), (200, ""), (503, "the backend answered 503")):
        sender.put(status)
        sender.flush(30)
        assert sender.collect_dropped() == bool(expected)
        assert not expected or sender.trouble == expected

    backend.gate.clear()
    hung = BackgroundSender(backend.connect, name="test")
    hung.put(1)
    _wait_for(lambda: backend.attempts == 1)
    hung.flush(0)
    backend.gate.set()
    assert hung.trouble == "the backend did not answer in time"


def test_a_fork_sends_by_a_thread_of_its_own(backend: Backend) -> None:
    sender = BackgroundSender(backend.connect, name="test")
    sender.put(1)
    sender.flush(30)
    sender._process = os.getpid() + 1

    sender.put(2)
    sender.flush(30)

    assert backend.taken == [1, 2]


def _wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen within 30 seconds")
