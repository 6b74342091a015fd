"""What a strategy writes into its state: a float is never cut to fit a field of whole numbers.

The declared default decides the type of a field. Compiled, the types of all that is written are
known before the run; in plain Python a write is refused as it happens.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import ir

from hft.core.jit import array_at

WHOLE = "is declared as a whole number and would cut a float (declare it as 0.0, or write int(...))"


class Kept(np.record):  # type: ignore[misc]
    """A strategy's state in plain Python."""

    def __setitem__(self, name: Any, value: Any) -> None:
        if isinstance(value, float | np.floating) and self.dtype[name].kind == "i":
            raise ValueError(f"state field {name!r} {WHOLE}")
        super().__setitem__(name, value)


def kept_at(address: int, dtype: np.dtype) -> Any:
    """The state that lives at an address (plain Python; no copy)."""
    return array_at(address, 1, np.dtype((Kept, dtype)))[0]


def cut_writes(body: Any) -> list[tuple[int, str]]:
    """Line and field of each float that a compiled body writes into state of whole numbers."""
    found = []
    for compiled in body.overloads.values():
        kinds = compiled.type_annotation.typemap
        for write in compiled.type_annotation.calltypes:
            if isinstance(write, ir.SetItem | ir.StaticSetItem):
                field = _whole_field(kinds[write.target.name], write)
                value = kinds[write.value.name]
                if field and isinstance(getattr(value, "dtype", value), types.Float):
                    found.append((int(write.loc.line), field))
    return sorted(found)


def _whole_field(target: Any, write: Any) -> str:
    """What is written to, when it is state of whole numbers; arrays of state have no name here."""
    if isinstance(target, types.Record):
        name = getattr(write, "index", None)
        whole = isinstance(name, str) and name in target.fields
        return repr(name) if whole and isinstance(_item(target.typeof(name)), types.Integer) else ""
    whole = isinstance(target, types.NestedArray) and isinstance(target.dtype, types.Integer)
    return "of an array" if whole else ""


def _item(kind: Any) -> Any:
    return getattr(kind, "dtype", kind)
