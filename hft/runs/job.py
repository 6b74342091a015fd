"""A replay fully specified: what it depends on, its hashes, its key, its manifest.

Nothing here runs anything; `hft.runs.execute` does.
"""

import hashlib
import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import hft.core as core_package
from hft.core.json_text import spaced
from hft.core.kernel_cache import PACKAGES_BELOW_THE_LINE
from hft.core.version import VERSION
from hft.gateway.limits import Limits
from hft.runs.code.captures import outside
from hft.runs.code.edits import refuse_edited
from hft.runs.code.location import file_of
from hft.runs.controls import Control
from hft.runs.faults import FaultPlan
from hft.runs.venues import Venue
from hft.strategies.base import Strategy
from hft.tape.dataset import Tapes

DEDUP_WINDOW = 10_000
ORDER_QUEUE = 4096


@dataclass(frozen=True)
class Fork:
    """From this step on, other values of a strategy's parameters."""

    at_step: int
    params: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Job:
    """One replay, fully specified; `key` names it. `limits_file` is for messages only."""

    tapes: Tapes
    strategies: Mapping[str, Strategy]
    venue: Venue
    limits: Limits
    seed: int = 0
    start_ns: int | None = None
    end_ns: int | None = None
    faults: FaultPlan = field(default_factory=FaultPlan)
    plain: bool = False
    dedup_window: int = DEDUP_WINDOW
    holdoff_ns: int = 0
    limits_file: str = ""
    fork: Fork | None = None
    order_queue: int = ORDER_QUEUE
    controls: tuple[Control, ...] = ()

    def forked(self, fork: Fork) -> "Job":
        """The same job until the fork."""
        return replace(self, fork=fork)

    def config(self) -> dict[str, Any]:
        """What the run depends on besides code and tapes; JSON-ready.

        Raises: ConfigError when a strategy's file was edited after it was loaded.
        """
        for strategy in self.strategies.values():
            refuse_edited(strategy.body)
        config: dict[str, Any] = {
            "strategies": {
                name: {
                    "params": {k: _plain(v) for k, v in strategy.params.items()},
                    "every_ns": strategy.every_ns,
                    "source": strategy.source,
                    "closure": strategy.closure,
                    "outside": outside(strategy),
                    "wakes_on": strategy.wakes_on,
                    "state": {k: _plain(v) for k, v in strategy.state.items()},
                    "track": list(strategy.track),
                    "logs": {str(k): text for k, text in strategy.logs.items()},
                    "file": file_of(strategy),
                    "instruments": strategy.instruments,
                }
                for name, strategy in self.strategies.items()
            },
            "venue": self.venue.to_dict(),
            "limits": self.limits.to_dict(),
            "start_ns": self.start_ns,
            "end_ns": self.end_ns,
            "faults": self.faults.to_dict(),
            "gateway": {
                "dedup_window": self.dedup_window,
                "holdoff_ns": self.holdoff_ns,
                "order_queue": self.order_queue,
            },
        }
        if self.controls:
            config["controls"] = [one.to_dict() for one in self.controls]
        if self.fork is not None:
            changed = {
                name: {k: _plain(v) for k, v in values.items()}
                for name, values in self.fork.params.items()
            }
            config["fork"] = {"at_step": self.fork.at_step, "params": changed}
        return config

    def manifest(self) -> dict[str, Any]:
        """The run's manifest: hashes first, then what they cover, then the machine."""
        config = self.config()
        tapes = [
            {
                "path": str(tape.path.resolve()),
                "name": f"{self.tapes.key(tape)} {tape.day}",
                "sha256": tape.sha256,
                "rows": tape.rows,
                "instrument": tape.instrument.to_dict(),
                "continues": tape.continues,
            }
            for tape in self.tapes
        ]
        # Where a strategy's file lies is kept to find it again, not to tell runs apart.
        hashed = json.loads(json.dumps(config))
        for strategy in hashed["strategies"].values():
            del strategy["file"]
        if isinstance(hashed["venue"]["queue"], dict):
            del hashed["venue"]["queue"]["file"]
        hashes = {
            "code": code_hash(),
            "config": _sha(hashed),
            "tapes": _sha([[tape["sha256"], tape["continues"]] for tape in tapes]),
            "instruments": _sha([tape["instrument"] for tape in tapes]),
            "seed": self.seed,
        }
        return {
            "key": _sha(hashes),
            "hashes": hashes,
            "config": config,
            "tapes": tapes,
            "seed": self.seed,
            "mode": "replay",
            "plain": self.plain,
            "machine": {"cpu": platform.processor() or platform.machine(), "os": platform.system()},
            "versions": {
                "hft": VERSION,
                "python": platform.python_version(),
                "numpy": np.__version__,
            },
            "started_ns": time.time_ns(),
        }


@lru_cache(maxsize=1)
def code_hash() -> str:
    """The hash of every source below the line: the code a run is a function of."""
    return hash_below_the_line(Path(core_package.__file__).resolve().parent.parent)


def hash_below_the_line(root: Path) -> str:
    """The hash of the names and texts of those sources under `root`, however deep they lie."""
    digest = hashlib.sha256()
    for package in PACKAGES_BELOW_THE_LINE:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _sha(data: Any) -> str:
    return hashlib.sha256(spaced(data).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
