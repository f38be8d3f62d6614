"""The sensor of a backfill as the instance has it: on or off, and whether a daemon ticks it."""

import time
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorTick, SensorInstigatorData, TickStatus

from floe_dagster.backfilling.identity import BackfillIdentity
from floe_dagster.running.code_pointer import CodePointer

_SENSOR_DAEMON = "SENSOR"
_SECONDS_OF_LIFE = 60.0  # a daemon's heart beats every 30
_SECONDS_BETWEEN_TICKS = 30.0  # at most, as long as the sensor is on and its daemon lives


@dataclass(frozen=True)
class SensorSwitch:
    """The sensor; without a state it was never switched on."""

    state: InstigatorState | None = None
    last_tick: InstigatorTick | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is switched on."""
        return self.state is not None and self.state.is_running

    @property
    def started(self) -> float:
        """When it was switched on last; seconds since the epoch, 0 for never."""
        data = self.state.instigator_data if self.state is not None else None
        return (data.last_sensor_start_timestamp or 0.0) if isinstance(data, SensorInstigatorData) else 0.0

    @property
    def is_ticking(self) -> bool:
        """Whether it is on and a daemon looks after it."""
        last = max(self.started, self.last_tick.timestamp if self.last_tick is not None else 0.0)
        return self.is_on and time.time() - last < _SECONDS_BETWEEN_TICKS

    def turn_off(self, instance: dg.DagsterInstance) -> None:
        """Switch it off."""
        if self.state is not None:
            instance.stop_sensor(self.state.instigator_origin_id, self.state.selector_id, None)

    def drop_interrupted_tick(self, instance: dg.DagsterInstance) -> None:
        """Let a daemon that comes back not launch the rest of what a tick was at when the daemon died."""
        tick = self.last_tick
        if tick is not None and tick.status is TickStatus.STARTED:
            instance.update_tick(tick.with_status(status=TickStatus.SKIPPED, skip_reason="Its daemon was gone."))


def read_switch(identity: BackfillIdentity, instance: dg.DagsterInstance, *, pointer: CodePointer) -> SensorSwitch:
    """The sensor of *identity* in the code location of *pointer*."""
    state = next((state for state in _states(identity, instance) if _is_of(state, pointer)), None)
    if state is None:
        return SensorSwitch()
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
    return SensorSwitch(state, ticks[0] if ticks else None)


def find_switch(identity: BackfillIdentity, context: dg.SensorEvaluationContext) -> SensorSwitch:
    """The sensor of *identity* that the tick with this context is of."""
    origin = context.code_location_origin
    if origin is None:
        return SensorSwitch()
    states = _states(identity, context.instance)
    return SensorSwitch(next((one for one in states if one.selector.location_name == origin.location_name), None))


def is_daemon_alive(instance: dg.DagsterInstance) -> bool:
    """Whether a daemon of the instance ticks sensors and starts the runs that are queued."""
    beat = instance.get_daemon_heartbeats().get(_SENSOR_DAEMON)
    return beat is not None and time.time() - beat.timestamp < _SECONDS_OF_LIFE


def _states(identity: BackfillIdentity, instance: dg.DagsterInstance) -> list[InstigatorState]:
    states = instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
    return [state for state in states if state.instigator_name == identity.sensor_name]


def _is_of(state: InstigatorState, pointer: CodePointer) -> bool:
    """Whether it is of that code location, as far as one can tell: a code server is known by its address alone."""
    origin = state.origin.repository_origin.code_location_origin
    if not isinstance(origin, ManagedGrpcPythonEnvCodeLocationOrigin):
        return True
    target = origin.loadable_target_origin
    is_same_folder = target.working_directory in (None, str(pointer.working_directory))
    return target.module_name == pointer.module_name and is_same_folder
