"""What goes wrong around a gateway: its wire, its venue and its lease, beside disks and clocks."""

from tests.simulation.faults import CLOCK, DISK, FaultPlan

KINDS = (
    *DISK,
    "disconnect",
    "acks lost",
    "acks twice",
    "acks reordered",
    *CLOCK,
    "two leaders",
    "stopped before sending",
    "commands held up",
    "lease kept late",
    "stopped in order",
    "venue session anew",
    "checkpoint",
)


class GatewayFaults(FaultPlan):
    """Those of the core and the service."""

    KINDS = KINDS
    ALWAYS = ("kill", "power cut", "checkpoint")

    def _disconnect(self) -> bool:
        wire = self.world.wire
        wire.disconnect()
        if self.random.random() < 0.5:
            wire.is_down = True
            self.world.later(self.random.random() * 0.5, self.world.wire_up)
        return True

    def _weather(self, **changes: float) -> bool:
        for name, value in changes.items():
            setattr(self.world.wire.weather, name, value)
        self.world.later(0.1 + self.random.random(), self.world.fair_weather)
        return True

    def _acks_lost(self) -> bool:
        return self._weather(loss=self.random.choice((0.1, 0.5)))

    def _acks_twice(self) -> bool:
        return self._weather(copies=self.random.choice((0.2, 1.0)))

    def _acks_reordered(self) -> bool:
        return self._weather(spread=self.random.choice((0.01, 0.05)))

    def _two_leaders(self) -> bool:
        return bool(self.world.stop_leader(self.random))

    def _stopped_before_sending(self) -> bool:
        self.world.stops_sender = self.random
        return True

    def _commands_held_up(self) -> bool:
        return self._weather(held=self.random.choice((0.1, 0.5, 1.0)))

    def _lease_kept_late(self) -> bool:
        self.world.slow_s = self.random.choice((0.2, 0.6, 1.2))
        self.world.later(0.1 + self.random.random(), self.world.quick)
        return True

    def _stopped_in_order(self) -> bool:
        return bool(self.world.stop_in_order())

    def _venue_session_anew(self) -> bool:
        self.world.venue.restart()
        return True

    def _checkpoint(self) -> bool:
        return bool(self.world.make_checkpoint())
