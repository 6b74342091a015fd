"""What an alpha is to the rest of hft: a manifest, and a number for each row.

Two ways to say the number. `update(**tick) -> float` is called row by row and cannot see ahead;
`signals(frame)` gets all rows at once, for people who think in columns, and Gate A proves that it
does not look ahead. An alpha has one of them or both; with both they must agree to 1e-9.
"""

import inspect
from typing import Any, Protocol, runtime_checkable

from hft.research.alphas.manifest import AlphaManifest


@runtime_checkable
class Alpha(Protocol):
    """A signal with a manifest. `signals(frame)` is optional, and so is `kernel`."""

    @property
    def manifest(self) -> AlphaManifest:
        """Who it is and what it reads."""
        ...

    def update(self, **tick: Any) -> float:
        """The signal after one more row."""
        ...

    def reset(self) -> None:
        """Forget everything: the next row is the first."""
        ...

    def get_signal(self) -> float:
        """The signal after the last row; NaN or 0 before the first."""
        ...


def complaints(cls: type) -> list[str]:
    """What keeps a class from being an alpha, a sentence each; empty when it fits."""
    found = []
    manifest = inspect.getattr_static(cls, "manifest", None)
    if not isinstance(manifest, property | AlphaManifest):
        found.append("has no property `manifest`")
    batch = callable(getattr(cls, "signals", None))
    if not callable(getattr(cls, "update", None)) and not batch:
        found.append("has neither `update(**tick)` nor `signals(frame)`")
    for name in ("reset", "get_signal"):
        if not callable(getattr(cls, name, None)) and not batch:
            found.append(f"has no method `{name}()`")
    if not _makes_alone(cls):
        found.append("cannot be made without arguments; give its parameters defaults")
    return found


def fits(cls: Any) -> bool:
    """Is this a class of alphas?"""
    return inspect.isclass(cls) and not inspect.isabstract(cls) and not complaints(cls)


def _makes_alone(cls: type) -> bool:
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (TypeError, ValueError):
        return True
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(one.default is not one.empty or one.kind in free for one in parameters)
