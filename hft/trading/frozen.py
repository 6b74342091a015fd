"""A desk as a dictionary of arrays and back, bit for bit, and the hash of one.

What belongs to the process (addresses, rings that are taken after each call) is left out. A
snapshot says what it is of; one of another version, configuration or name is refused, untouched.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from hft.core.digest import key_of
from hft.core.errors import ConfigError
from hft.gateway.state import restore as restore_gateway
from hft.gateway.state import snapshot as snapshot_gateway
from hft.trading.desk_state import RINGS, DeskState

VERSION = 1
Upgrade = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]
Upgrades = Mapping[int, Upgrade]
UPGRADES: Upgrades = MappingProxyType({})  # version -> what makes the next one of its arrays
_OWN = ("head", "lanes", "names", "sessions", "intent", "answer")
_TRADING_RINGS = ("keeps_fills", "fills_len")
_GROWING = ("dedup", "ring", "repeat_ring")  # only what was ever written is in a snapshot


def freeze(state: DeskState) -> dict[str, np.ndarray]:
    """A copy of everything that decides what happens next."""
    out = {"version": np.array([VERSION], np.int64)}
    for name, array in _fixed(state):
        out[name] = array.copy()
    own, trading = out["head"][0], out["trading.head"][0]
    for name in RINGS:
        own[name] = 0
    for name in _TRADING_RINGS:
        trading[name] = 0
    for name, array in snapshot_gateway(state.trading.gw).items():
        out[f"gw.{name}"] = array
    return out


def thaw(
    state: DeskState, saved: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]
) -> None:
    """Bring `state` to a snapshot. Mutates: state.

    Raises: ConfigError, before anything is changed, when it is not of such a desk.
    """
    _check(state, saved, names)
    kept = [state.head[0][name] for name in RINGS]
    kept_trading = [state.trading.head[0][name] for name in _TRADING_RINGS]
    for name, array in _fixed(state):
        array[...] = saved[name]
    for name, value in zip(RINGS, kept, strict=True):
        state.head[0][name] = value
    for name, value in zip(_TRADING_RINGS, kept_trading, strict=True):
        state.trading.head[0][name] = value
    gw = state.trading.gw
    state.trading.gw.dedup[len(saved["gw.dedup"]) : int(gw.head[0]["dedup_count"])] = 0
    restore_gateway(gw, {name[3:]: array for name, array in saved.items() if name[:3] == "gw."})


def upgraded(
    version: int, saved: Mapping[str, np.ndarray], upgrades: Upgrades | None = None
) -> Mapping[str, np.ndarray]:
    """A snapshot as this version keeps it, one version after the other.

    Raises: ConfigError where a newer hft made it, or no way leads from it.
    """
    steps = UPGRADES if upgrades is None else upgrades
    while version < VERSION and version in steps:
        saved = {**steps[version](saved), "version": np.array([version + 1], np.int64)}
        version += 1
    if version != VERSION:
        cure = "go on with the hft that made it" if version > VERSION else "replay the journal"
        raise ConfigError(f"a snapshot of version {version}, this hft reads {VERSION}; {cure}")
    return saved


def digest(state: DeskState) -> str:
    """The hash of a snapshot."""
    hashed = hashlib.blake2b(digest_size=32)
    for name, array in sorted(freeze(state).items()):
        hashed.update(f"{name} {array.dtype.itemsize} {len(array)} ".encode())
        hashed.update(np.ascontiguousarray(array).view(np.uint8).data)
    return hashed.hexdigest()


def _fixed(state: DeskState) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays outside of the gateway that a snapshot has whole."""
    for name in _OWN:
        yield name, getattr(state, name)
    for name, array in state.trading._asdict().items():
        if name not in ("gw", "fills"):
            yield f"trading.{name}", array


def _check(
    state: DeskState, saved: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]
) -> None:
    version = int(saved["version"][0]) if "version" in saved else 0
    if version != VERSION:
        raise ConfigError(f"the snapshot has version {version}; this hft reads {VERSION}")
    expected = dict(_fixed(state))
    expected |= {f"gw.{name}": array for name, array in state.trading.gw._asdict().items()}
    del expected["gw.table"]
    for name, array in expected.items():
        found = saved.get(name)
        growing = name.removeprefix("gw.") in _GROWING
        fits = found is not None and found.dtype == array.dtype
        if found is None or not fits or not (len(found) == len(array) or growing):
            raise ConfigError(
                f"the snapshot is of another configuration: {name} is not what this desk has; "
                "give the sizes and limits that it began under"
            )
    theirs = int(saved["head"][0]["configuration"])
    if theirs != int(state.head[0]["configuration"]):
        raise ConfigError(
            "the snapshot is of another configuration: instruments, sizes or the limits that it "
            "began under differ"
        )
    check_names(saved["names"], names)


def check_names(keys: np.ndarray, names: Mapping[str, Sequence[str]]) -> None:
    """Accounts, then strategies; an instrument's name is in the configuration.

    Raises: ConfigError when one is known by another name.
    """
    at = 0
    for what, known in names.items():
        for index, name in enumerate(known):
            if name and keys[at] != 0 and keys[at] != key_of(name):
                raise ConfigError(f"{what} {index} is {name!r} here and had another name before")
            at += 1
