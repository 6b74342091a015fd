"""Kernels that only kernels call are kept as IR and become machine code once, inside their caller.

numba optimises, emits, wraps and caches every function on its own, and then once more inside each
caller: for an engine of four hundred kernels that is entered at one place, half of the compile
time. A kernel of `LINKED` packages that a kernel calls with state by address is compiled to IR
alone; the library of the entry links the whole of what it reaches. Called from Python, or with
plain arrays as tests do, a kernel is compiled as usual.

What this stands on inside numba is looked for when it is imported; where it is not there, every
kernel is compiled as usual.
"""

import hashlib
from typing import Any

from llvmlite.binding import Linkage, create_new_module_pass_manager, create_pass_builder
from numba.core import codegen, compiler, registry, types
from numba.core.dispatcher import Dispatcher

from hft.core.table import TableType

LINKED = ("hft.gateway.", "hft.portfolio.", "hft.replay.", "hft.trading.", "hft.venue.")
_INLINED = 1500  # LLVM's own threshold is 225: a call costs the engine more than its code does
_NEEDED = (
    (codegen.JITCodeLibrary, "_get_module_for_linking"),
    (codegen.JITCodeLibrary, "_finalize_dynamic_globals"),
    (codegen.JITCodeLibrary, "_optimize_final_module"),
    (codegen.JITCPUCodegen, "_library_class"),
    (codegen.JITCPUCodegen, "_module_pass_manager"),
    (codegen.JITCPUCodegen, "_pass_builder"),
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


class _Straight:
    """A code generator for the engine: one round, many calls merged, loops as they are.

    Its loops run over instruments, strategies and orders, of which there are one or two: wide or
    unrolled they are longer, and not faster.
    """

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def _module_pass_manager(self, **options: Any) -> Any:
        if options.get("cost") == "cheap":
            return create_new_module_pass_manager(), self._pass_builder()
        return type(self._real)._module_pass_manager(self, **options)

    def _pass_builder(self, **options: Any) -> Any:
        builder = self._real._pass_builder(**options)
        tuning = builder._pto
        tuning.loop_vectorization = tuning.loop_interleaving = tuning.loop_unrolling = False
        tuning.inlining_threshold = _INLINED
        return create_pass_builder(builder._tm, tuning)


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

    _codegen: Any

    def finalize(self) -> None:
        self._linking_libraries: list[Any] = _closure(self._linking_libraries)
        super().finalize()

    def _optimize_final_module(self) -> None:
        """What was linked as IR is this library's own: nobody else enters it or may replace it.

        So LLVM may see through its calls: what is never raised is not asked for, and arguments are
        passed in registers or not at all.
        """
        real: Any = self._codegen
        if any(isinstance(library, LinkedLibrary) for library in self._linking_libraries):
            _own(self._final_module)
            self._codegen = _Straight(real)
        super()._optimize_final_module()
        self._codegen = real


def _own(module: Any) -> None:
    """Make what a module was given its own, under names of its own: symbols are found by name."""
    defined = [function for function in module.functions if not function.is_declaration]
    entries = [one.name for one in defined if one.linkage != Linkage.linkonce_odr]
    mark = hashlib.sha256("\n".join(entries).encode()).hexdigest()[:12]
    for function in defined:
        if function.linkage == Linkage.linkonce_odr:
            function.name = f"{function.name}.{mark}"
            function.linkage = "internal"


def _closure(libraries: list[Any]) -> list[Any]:
    """The libraries and all that linked ones among them reach, each once, behind whoever calls it.

    LLVM links only what is asked for so far: code whose caller came later, and whose other caller
    was left out as dead, would be missing, and be called at address 0.
    """
    order: list[Any] = []
    found: set[int] = set()
    waiting: list[tuple[Any, bool]] = [(library, False) for library in libraries]
    while waiting:
        library, done = waiting.pop()
        if done:
            order.append(library)
        elif id(library) not in found:
            found.add(id(library))
            waiting.append((library, True))
            if isinstance(library, LinkedLibrary):
                waiting.extend((called, False) for called in library._linking_libraries)
    return order[::-1]


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
