"""Kernels that only kernels call are kept as IR and become machine code once, inside their caller.

numba optimises, emits, wraps and caches every function on its own, and then once more inside each
caller: for an engine of four hundred kernels that is entered at one place, half of the compile
time. A kernel of `LINKED` packages that a kernel calls with state by address is compiled to IR
alone; the library of the entry links the whole of what it reaches. Called from Python, or with
plain arrays as tests do, a kernel is compiled as usual.

What this stands on inside numba is looked for when it is imported; where it is not there, every
kernel is compiled as usual.
"""

from typing import Any

from numba.core import codegen, compiler, registry, types
from numba.core.dispatcher import Dispatcher

from hft.core.table import TableType

LINKED = ("hft.gateway.", "hft.portfolio.", "hft.replay.", "hft.trading.", "hft.venue.")
_NEEDED = (
    (codegen.JITCodeLibrary, "_get_module_for_linking"),
    (codegen.JITCodeLibrary, "_finalize_dynamic_globals"),
    (codegen.JITCPUCodegen, "_library_class"),
    (Dispatcher, "get_call_template"),
    (Dispatcher, "get_overload"),
)


class _Silent:
    """A code generator for functions without code: there is no place for an environment."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def set_env(self, name: str, env: Any) -> None:
        """Nothing: the environment of an entry is set by its own library."""


class LinkedLibrary(codegen.JITCodeLibrary):  # type: ignore[misc]
    """The IR of one kernel, neither optimised nor emitted by itself."""

    @property
    def codegen(self) -> Any:
        return _Silent(self._codegen)

    def add_llvm_module(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        self._final_module.link_in(ll_module)

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0


class EntryLibrary(codegen.JITCodeLibrary):  # type: ignore[misc]
    """A library with code: it links what it calls, and what that calls, however deep."""

    def finalize(self) -> None:
        self._linking_libraries: list[Any] = _closure(self._linking_libraries)
        super().finalize()


def _closure(libraries: list[Any]) -> list[Any]:
    """The libraries and all that linked ones among them reach, each once, in a fixed order."""
    found: dict[int, Any] = {}
    waiting = list(reversed(libraries))
    while waiting:
        library = waiting.pop()
        if id(library) not in found:
            found[id(library)] = library
            if isinstance(library, LinkedLibrary):
                waiting.extend(reversed(library._linking_libraries))
    return list(found.values())


class _IrOnly(compiler.Compiler):  # type: ignore[misc]
    """numba's pipeline into a `LinkedLibrary`."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *rest: Any) -> None:
        own = LinkedLibrary(targetctx.codegen(), "hft.linked") if library is None else library
        super().__init__(typingctx, targetctx, own, *rest)


def _by_address(kind: Any) -> bool:
    """Is an argument state by address: an arena, a table, a row?"""
    return isinstance(kind, TableType | types.Record) or hasattr(kind, "by_name")


class Kernel(registry.CPUDispatcher):  # type: ignore[misc]
    """A dispatcher that answers kernels with IR and Python with code."""

    linked: Any = None

    def get_call_template(self, args: Any, kws: Any) -> Any:
        if self._links(args):
            return self._inner().get_call_template(args, kws)
        return super().get_call_template(args, kws)

    def get_overload(self, sig: Any) -> Any:
        if self._links(getattr(sig, "args", sig)):
            return self._inner().get_overload(sig)
        return super().get_overload(sig)

    def _links(self, args: Any) -> bool:
        return any(_by_address(kind) for kind in args)

    def _inner(self) -> Any:
        if self.linked is None:
            options = {**self.targetoptions, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
            self.linked = registry.CPUDispatcher(self.py_func, {}, options, pipeline_class=_IrOnly)
        return self.linked


def linked(kernel: Any) -> Any:
    """The kernel, to be linked as IR into kernels that call it with state by address.

    As it is for other packages than `LINKED`, and where numba is not as this module knows it.
    """
    module = kernel.py_func.__module__ or ""  # a strategy of a stored text has none
    if _KNOWN and module.startswith(LINKED):
        kernel.__class__ = Kernel
    return kernel


_KNOWN = all(hasattr(owner, name) for owner, name in _NEEDED)
if _KNOWN:
    codegen.JITCPUCodegen._library_class = EntryLibrary
