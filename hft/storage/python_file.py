"""Run a Python file that a user wrote by what it says now, never by bytecode kept beside it.

Python dates its bytecode to the second and by length, so an edit of the same second and length
would run the code before the edit: a run has to be a function of the text that its manifest holds.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType


class FromText(SourceFileLoader):
    """Compiles the text each time; reads and writes no bytecode."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the file as it stands."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


class PackageFromText(MetaPathFinder):
    """Finds modules of packages whose names begin with `prefix`; loads them by their text."""

    LOADERS = ((ExtensionFileLoader, EXTENSION_SUFFIXES), (FromText, SOURCE_SUFFIXES))

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module in the package's folders; None leaves it to Python's own finders."""
        if fullname.startswith(self.prefix):
            for folder in path or ():
                spec = FileFinder(folder, *self.LOADERS).find_spec(fullname)
                if spec is not None and spec.loader is not None:
                    return spec
        return None


def load(path: Path, name: str) -> ModuleType:
    """The module of a file, known to Python as `name`. Raises: whatever the file does.

    What it imports of the user's by a plain name leaves no bytecode either.
    """
    spec = spec_from_loader(name, FromText(name, str(path.absolute())))
    assert spec is not None and spec.loader is not None  # since it was given
    module = module_from_spec(spec)
    sys.modules[name] = module
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    finally:
        sys.dont_write_bytecode = kept
    return module
