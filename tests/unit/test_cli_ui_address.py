import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from floe_cli.ui_address import UiAddress, find_ui, free_port, remember_ui


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_before_the_first_start_the_default_address_is_named(tmp_path: Path) -> None:
    assert find_ui(tmp_path) == UiAddress("http://127.0.0.1:3000", is_up=False)


def test_a_ui_that_answers_is_up(tmp_path: Path, taken_port: int) -> None:
    url = remember_ui(tmp_path, host="127.0.0.1", port=taken_port)

    assert find_ui(tmp_path) == UiAddress(url, is_up=True) == UiAddress(f"http://127.0.0.1:{taken_port}", is_up=True)


def test_a_ui_that_was_ended_is_not_named_again(tmp_path: Path) -> None:
    remember_ui(tmp_path, host="127.0.0.1", port=1)

    assert find_ui(tmp_path) == UiAddress("http://127.0.0.1:3000", is_up=False)


def test_an_address_for_every_interface_is_shown_as_this_machine(tmp_path: Path) -> None:
    assert remember_ui(tmp_path, host="0.0.0.0", port=3001) == "http://127.0.0.1:3001"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"url": "nonsense"}'])
def test_a_note_that_says_nothing_is_no_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "ui.json").write_text(text)

    assert find_ui(tmp_path).is_up is False


def test_a_taken_port_is_passed_over(taken_port: int) -> None:
    assert free_port("127.0.0.1", taken_port) > taken_port
