"""What the figures were taken on: cores, processor, versions, load.

Reads the machine and the lock files; measures nothing.
"""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.environments import LOCKS, PEERS

OUR_PACKAGES = ("numpy", "numba", "llvmlite", "polars", "pyarrow")


def describe() -> dict[str, Any]:
    """Everything a reader needs to judge whether a figure can be compared with his own."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "ours": {name: _version(name) for name in OUR_PACKAGES},
        "peers": {peer: _locked(peer) for peer in PEERS},
        "load_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def line(facts: dict[str, Any]) -> str:
    """The same as one sentence."""
    ours = ", ".join(f"{name} {version}" for name, version in facts["ours"].items() if version)
    peers = "; ".join(f"{name} with {locked}" for name, locked in facts["peers"].items())
    return (
        f"{facts['cores']} cores of {facts['processor']}, {facts['memory_gb']} GB, "
        f"{facts['system']}, Python {facts['python']}; ours with {ours}; {peers}; "
        f"load at the start {facts['load_at_start']}."
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _locked(peer: str) -> str:
    """The versions a lock pins that decide the peer's speed."""
    wanted = ("hftbacktest==", "nautilus-trader==", "nautilus_trader==", "numpy==", "numba==")
    lines = (LOCKS / f"{peer}.txt").read_text().splitlines()
    pinned = [text.split()[0] for text in lines if text.startswith(wanted)]
    return ", ".join(text.replace("==", " ") for text in pinned)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for text in info.read_text().splitlines():
            if text.startswith("model name"):
                return text.split(":", 1)[1].strip()
    return platform.processor() or "an unnamed processor"


def _memory_gb() -> int | None:
    if sys.platform == "win32":
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
