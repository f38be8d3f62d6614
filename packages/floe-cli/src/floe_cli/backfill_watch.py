"""A backfill that Dagster's daemon carries out, watched from the command line."""

import time
from contextlib import suppress
from pathlib import Path

from floe_cli.backfill_display import BackfillDisplay
from floe_cli.project_backfill import ProjectBackfill
from floe_cli.ui_address import find_ui
from floe_cli.ui_sensors import find_ui_sensor
from floe_dagster.backfilling.decisions import Finish, Launch, Wait
from floe_dagster.backfilling.state import BackfillState
from floe_dagster.backfilling.switch import is_daemon_alive

_SECONDS_BETWEEN_LOOKS = 1.0
_SHARE_OF_LOOKS = 4  # a look at thousands of runs takes its time: leave four times that to others


def hand_over(backfill: ProjectBackfill) -> bool:
    """Let a daemon that runs with the project carry the backfill out; whether there is one.

    That is the daemon of `floe dev`, through whose UI the sensor is switched on, or any other once the sensor is on.
    """
    if backfill.switch().is_ticking:
        return True
    ui = find_ui(backfill.project.floe_dir)
    if (
        not ui.is_up
        or not _is_same(ui.home, backfill.instance.root_directory)
        or not is_daemon_alive(backfill.instance)
    ):
        return False
    pointer = backfill.location.pointer
    sensor = find_ui_sensor(
        ui.url,
        backfill.identity.sensor_name,
        module_name=pointer.module_name,
        working_directory=pointer.working_directory,
    )
    return sensor is not None and sensor.switch_on() and backfill.switch().is_ticking


class SwitchedOffError(Exception):
    """Somebody ended the backfill while it was watched: nothing more of it is launched."""


def watch(backfill: ProjectBackfill, display: BackfillDisplay, *, since: float) -> BackfillState | None:
    """Show what the daemon does until there is nothing to do.

    Args:
        backfill: Its sensor is on.
        display: Shows it.
        since: When the command was started; seconds since the epoch.

    Returns:
        Where the backfill stands then; None if the daemon is gone: the sensor is on, and nobody ticks it.

    Raises:
        KeyboardInterrupt: The user does not want to watch any more; the daemon goes on.
        SwitchedOffError: The sensor was switched off, or the backfill cancelled, before there was nothing to do.
    """
    while True:
        switch, began = backfill.switch(), time.monotonic()  # before the state: a sensor with nothing to do turns off
        state = backfill.state()
        display.show_state(state)
        if state.decision != Finish() and backfill.is_canceled(since=since):
            raise SwitchedOffError
        if not isinstance(state.decision, Launch | Wait):
            backfill.switch().turn_off(backfill.instance)
            return state
        if not switch.is_on:
            raise SwitchedOffError
        if not switch.is_ticking:
            return None
        time.sleep(max(_SECONDS_BETWEEN_LOOKS, _SHARE_OF_LOOKS * (time.monotonic() - began)))


def _is_same(folder: str, other: str) -> bool:
    with suppress(OSError):
        return Path(folder).resolve() == Path(other).resolve()
    return False
