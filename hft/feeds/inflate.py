"""The fastest inflater there is: isal where it is installed, else zlib; both have one interface."""

import importlib
import zlib
from types import ModuleType


def _fastest() -> ModuleType:
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib


INFLATER = _fastest()
INFLATE_ERRORS: tuple[type[Exception], ...] = (zlib.error, INFLATER.error)
