"""A live gateway as one object: input rows in, commands and steps out, the same after any restart.

Owns a `DeskState`; what it knows comes from rows alone, so a snapshot and the rows behind it, or
all rows from the first, give the same bits. It sends nothing and writes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hft.core.arena import Arena
from hft.core.codes import ControlKind, OrderStatus
from hft.core.digest import K1, K2, key_of
from hft.core.digest import mix as mix_word
from hft.core.errors import ConfigError, DataError, InvariantError
from hft.gateway.resolve import ResolvedLimits
from hft.gateway.state import apply_limits
from hft.gateway.state import new_state as new_gateway
from hft.trading import checks
from hft.trading.desk_seam import apply_rows, check_rows, slots_of
from hft.trading.desk_state import DESK, MARGIN, DeskState, new_state
from hft.trading.frozen import check_names, digest, freeze, thaw
from hft.trading.inputs import EPOCH_MAX, HEARD, INPUT, InputKind, Named, rows_of
from hft.trading.state import HEAD, TradingState

_LIMITS = ControlKind.LIMITS.value
_NAMES = DESK.names or ()
_INPUTS, _NOW, _LOST = (_NAMES.index(name) for name in ("inputs", "now_ns", "steps_lost"))
_COMMANDS, _STEPS = _NAMES.index("commands_len"), _NAMES.index("steps_len")
_NEXT_ID, _FILLS = ((HEAD.names or ()).index(name) for name in ("next_id", "fills_len"))


class Applied(NamedTuple):
    """What rows led to, in order: OUTBOUND, STEP and FILL rows, copies."""

    commands: np.ndarray
    steps: np.ndarray
    fills: np.ndarray


@dataclass(frozen=True)
class Plan:
    """What a desk is made of, so that another process can make the same one."""

    instruments: np.ndarray  # INSTRUMENT rows
    limits: ResolvedLimits
    accounts: tuple[str, ...]
    strategies: tuple[str, ...]
    order_capacity: int
    dedup_window: int
    room: int
    seed: int


class _Ring:
    """Rows that are copied out as bytes: numpy copies rows with names field by field."""

    def __init__(self, rows: np.ndarray) -> None:
        self._dtype, self._bytes = rows.dtype, rows.view(np.uint8).data
        self._none = np.zeros(0, rows.dtype)

    def copy(self, count: int) -> np.ndarray:
        """The first ones."""
        if not count:
            return self._none
        return np.frombuffer(bytearray(self._bytes[: count * self._dtype.itemsize]), self._dtype)


class Desk:
    """The fold of input rows for these instruments, accounts and strategies.

    `limits` are those it begins under; `other_limits` what CONTROL LIMITS rows may put in force.
    `room` commands may wait for the adapter, and as many again that lower risk. A strategy named
    "" is a place for one to come.
    """

    def __init__(
        self,
        instruments: np.ndarray,
        limits: ResolvedLimits,
        *,
        accounts: Sequence[str],
        strategies: Sequence[str],
        other_limits: Iterable[ResolvedLimits] = (),
        order_capacity: int = 4096,
        dedup_window: int = 10_000,
        room: int = 1024,
        seed: int = 0,
    ) -> None:
        if not 1 <= 2 * room <= MARGIN:
            raise ConfigError(f"room for {room} commands; between 1 and {MARGIN // 2} may wait")
        sizes = {"order_capacity": order_capacity, "dedup_window": dedup_window, "seed": seed}
        self.plan = Plan(
            np.array(instruments), limits, tuple(accounts), tuple(strategies), room=room, **sizes
        )
        gateway = new_gateway(instruments, limits, len(accounts), len(strategies), **sizes)
        shape = [len(accounts), len(strategies), room, *sizes.values(), limits.hash]
        lanes = np.array([K1, K2], np.uint64)
        mix_word(lanes, seed)
        self.state: DeskState = new_state(
            instruments,
            gateway,
            len(accounts),
            len(strategies),
            room=room,
            configuration=key_of(f"{shape} {np.asarray(instruments).tobytes().hex()}"),
            lanes=lanes,
        )
        self._head = self.state.head[0]
        self._words = self.state.head.view(np.int64).data  # of it: read at each batch
        self._trading = self.trading.head.view(np.int64).data
        rings = (self.state.commands, self.state.steps, self.trading.fills)
        self._rings = tuple(_Ring(one) for one in rings)
        self._arena = Arena(self.state)
        self._limits: dict[int, ResolvedLimits] = {}
        for one in (limits, *other_limits):
            self._limits[limits_key(one)] = one

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names by index."""
        return self.plan.accounts

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names by index."""
        return self.plan.strategies

    @property
    def trading(self) -> TradingState:
        return self.state.trading

    @property
    def inputs(self) -> int:
        """The number of the last row applied, which is that of its journal record."""
        return int(self._words[_INPUTS])

    @property
    def epoch(self) -> int:
        """The life that decides now; 0 before the first."""
        return int(self._head["epoch"])

    @property
    def next_id(self) -> int:
        """The id of the next intent."""
        return int(self._trading[_NEXT_ID])

    @property
    def now_ns(self) -> int:
        """The time of the last row."""
        return int(self._words[_NOW])

    @property
    def configuration(self) -> int:
        """A key of instruments, sizes and the limits that it begins under."""
        return int(self._head["configuration"])

    def begin(self, ts_ns: int) -> np.ndarray:
        """The rows that begin the next life: apply and journal them before any other.

        Raises: ConfigError when there were too many lives.
        """
        if self.epoch >= EPOCH_MAX:
            raise ConfigError(
                f"this journal has had {EPOCH_MAX} lives, and the ids of commands have room for no "
                "more; cancel what is open at the venue and begin another one in another folder"
            )
        life = rows_of(InputKind.LIFE, ts_ns, value=self.epoch + 1, key_lo=self.configuration)
        return np.concatenate([life, *self._name_rows(ts_ns)])

    def apply(self, rows: np.ndarray) -> Applied:
        """Apply INPUT rows; all are checked before any is.

        Raises: DataError naming row and field, ConfigError for limits that are not known.
        """
        rows = self._checked(rows)
        parts: list[Applied] = []
        at = 0
        while at < len(rows):
            at += self._some(rows[at:])
            parts.append(self._take())
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return self._take()
        return Applied(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def replay(self, rows: np.ndarray) -> None:
        """Apply rows whose commands and steps nobody needs any more. Raises: as `apply`."""
        rows = self._checked(rows)
        self._keep(False)
        try:
            at = 0
            while at < len(rows):
                at += self._some(rows[at:])
        finally:
            self._keep(True)

    def allow(self, limits: ResolvedLimits) -> int:
        """Make limits known that a CONTROL LIMITS row may put in force; returns its `value`."""
        self._limits[limits_key(limits)] = limits
        return limits_key(limits)

    @property
    def known_limits(self) -> tuple[ResolvedLimits, ...]:
        """All limits that a row may put in force."""
        return tuple(self._limits.values())

    @property
    def limits_in_force(self) -> int:
        """The key of the limits in force."""
        return int(self.trading.gw.config[0]["limits_hash"])

    def working(self) -> np.ndarray:
        """ORDER rows of all working orders, a copy, oldest id first."""
        orders = self.trading.gw.orders
        found = orders[orders["order_id"] > 0]
        return found[np.argsort(found["order_id"])]

    def are_working(self, order_ids: np.ndarray) -> np.ndarray:
        """Which of these ids have a working order; asks the index, copies no order."""
        return slots_of(self._arena.handle, order_ids) >= 0

    def unknown(self) -> np.ndarray:
        """ORDER rows of those whose outcome is open."""
        orders = self.working()
        return orders[orders["status"] == OrderStatus.UNKNOWN.value]

    def snapshot(self) -> dict[str, np.ndarray]:
        """A copy of everything that decides what happens next."""
        return freeze(self.state)

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Bring a desk of the same configuration to a snapshot.

        Raises: ConfigError when it is of another version, configuration, account or strategy.
        """
        thaw(self.state, saved, self._names)

    def check_names(self) -> None:
        """Raises: ConfigError when what was applied names an account or strategy otherwise."""
        check_names(self.state.names, self._names)

    def digest(self) -> str:
        """One hash of the whole state and of all steps so far."""
        return digest(self.state)

    @property
    def _names(self) -> dict[str, Sequence[str]]:
        return {"account": self.plan.accounts, "strategy": self.plan.strategies}

    def _name_rows(self, ts_ns: int) -> list[np.ndarray]:
        symbols = self.trading.instruments["symbol_key"].tolist()
        keys = {
            Named.ACCOUNT: [key_of(name) for name in self.plan.accounts],
            Named.STRATEGY: [key_of(name) if name else 0 for name in self.plan.strategies],
            Named.INSTRUMENT: symbols,
        }
        return [
            rows_of(InputKind.NAME, ts_ns, code=code, target_id=index, value=key)
            for code, of in keys.items()
            for index, key in enumerate(of)
            if key != 0
        ]

    def _checked(self, rows: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(rows)
        if rows.dtype != INPUT:
            raise DataError(f"rows of {rows.dtype} are no input rows")
        if not len(rows):
            return rows
        found = check_rows(self._arena.handle, rows)
        if found >= checks.FINDINGS:
            index, what = found // checks.FINDINGS - 1, found % checks.FINDINGS
            self._refuse(rows, index, what)
        if found == checks.HAS_LIMITS:
            for value in rows["value"][_are_limits(rows)].tolist():
                if value not in self._limits:
                    raise ConfigError(
                        f"limits {value:x} are to be put in force and are not known here; give "
                        "their file"
                    )
        return rows

    def _refuse(self, rows: np.ndarray, index: int, what: int) -> None:
        row, number = rows[index], self.inputs + index + 1
        if what == checks.BAD_CONFIGURATION:
            raise ConfigError(
                f"input {number} begins a life of another configuration: instruments, sizes or the "
                "limits that it began under differ"
            )
        if what == checks.BAD_NAME:
            named = Named(int(row["code"])).name.lower()
            raise ConfigError(f"input {number}: {named} {row['target_id']} has another name here")
        field = _FIELDS[what]
        value = row[field] if field in (INPUT.names or ()) else rows.view(HEARD)[index][field]
        raise DataError(f"input {number}: {field} {value} {_SAID[what]}")

    def _some(self, rows: np.ndarray) -> int:
        """Apply rows up to a full ring or other limits; returns how many."""
        count = apply_rows(self._arena.handle, rows)
        if count and rows["kind"][count - 1] == InputKind.CONTROL.value:
            last = rows[count - 1]
            if last["code"] == _LIMITS:
                apply_limits(self.trading.gw, self._limits[int(last["value"])])
        return count

    def _take(self) -> Applied:
        """What lies in the rings, which are empty then."""
        head, trading = self._words, self._trading
        if head[_LOST]:
            raise InvariantError(f"input {self.inputs}: {head[_LOST]} steps had no room")
        taken = Applied(
            self._rings[0].copy(head[_COMMANDS]),
            self._rings[1].copy(head[_STEPS]),
            self._rings[2].copy(trading[_FILLS]),
        )
        head[_COMMANDS] = head[_STEPS] = trading[_FILLS] = 0
        return taken

    def _keep(self, on: bool) -> None:
        self._head["keeps"] = self.trading.head[0]["keeps_fills"] = int(on)


def limits_key(limits: ResolvedLimits) -> int:
    """What a CONTROL LIMITS row names limits by."""
    return int(limits.config[0]["limits_hash"])


def _are_limits(rows: np.ndarray) -> np.ndarray:
    return (rows["kind"] == InputKind.CONTROL.value) & (rows["code"] == _LIMITS)


_FIELDS = {
    checks.BAD_KIND: "kind",
    checks.BAD_TIME: "ts_ns",
    checks.BAD_INSTRUMENT: "instrument_idx",
    checks.BAD_STRATEGY: "strategy_idx",
    checks.BAD_ACCOUNT: "account_idx",
    checks.BAD_EPOCH: "value",
    checks.BAD_INDEX: "target_id",
    checks.NO_LIFE: "kind",
    checks.BAD_CODE: "code",
}
_SAID = {
    checks.BAD_KIND: "is no kind of input",
    checks.BAD_TIME: "goes back in time",
    checks.BAD_INSTRUMENT: "is no instrument of this desk",
    checks.BAD_STRATEGY: "is no strategy of this desk",
    checks.BAD_ACCOUNT: "is no account of this desk",
    checks.BAD_EPOCH: "is no epoch of a later life",
    checks.BAD_INDEX: "is no index of this desk",
    checks.NO_LIFE: "comes before the first life",
    checks.BAD_CODE: "is no reason",
}
