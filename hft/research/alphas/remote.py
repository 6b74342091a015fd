"""An alpha whose code is not in this process: what the rest of hft may know of it and ask it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from hft.research.alphas.manifest import AlphaManifest
from hft.research.data.dataset import ResearchData


class RemoteAlpha(ABC):
    """Stands in for a `LoadedAlpha` wherever one is evaluated; `signals.evaluate` takes it.

    `batch` and `stream` say which of `signals(frame)` and `update(**tick)` it has; `reads` are
    files that its code hash lacks and that it opened; `tried` what its code asked for besides rows;
    `expression` the canonical form of one, else ""; `quotes` those of a policy, as data; `lacking`
    why no walls stand around it, "" where they do.
    """

    manifest: AlphaManifest
    folder: Path
    code_hash: str
    batch: bool
    stream: bool
    reads: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    expression: str = ""
    quotes: Mapping[str, Any] | None = None
    lacking: str = ""

    @property
    def alpha_id(self) -> str:
        """Its id."""
        return self.manifest.alpha_id

    @abstractmethod
    def evaluate(self, data: ResearchData, *, batch: bool | None = None) -> np.ndarray:
        """The signal at each row, float64. Raises: ValidationError."""

    @abstractmethod
    def extend(self, data: ResearchData, *, begin: bool) -> np.ndarray:
        """The signal at rows that follow those before, of an alpha that has not seen more."""

    @abstractmethod
    def close(self) -> None:
        """End the process, and those of its copies."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def again(self, environment: Mapping[str, str] | None = None) -> Self:
        """A copy that shares nothing with this one, closed with it; in another environment."""

    @abstractmethod
    def tests(self, timeout_s: float, only: str = "") -> dict[str, Any]:
        """pytest over the alpha's own tests: `exit_code` and `stdout`. Raises: ValidationError."""

    @abstractmethod
    def imports(self, module: str) -> str:
        """Why a module cannot be imported, "" where it can. Raises: ValidationError."""
