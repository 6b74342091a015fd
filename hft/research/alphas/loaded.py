"""An alpha whose code is in this process: its class, and where and what its code is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.research.alphas.manifest import AlphaManifest


@dataclass(frozen=True)
class LoadedAlpha:
    """An alpha ready to be evaluated; `signals.evaluate` takes it."""

    manifest: AlphaManifest
    cls: Any
    folder: Path
    code_hash: str
    reads: tuple[str, ...] = ()  # files its code hash lacks that its import opened or used

    @property
    def alpha_id(self) -> str:
        """Its id."""
        return self.manifest.alpha_id
