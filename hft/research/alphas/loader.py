"""How a folder becomes a class: `impl.py` is imported under a name of its own.

Only a worker does that, and tests of alphas (`hft.research.worker`): whoever lists or judges alphas
is told what they say. The code hash is of every file of the folder, since an alpha is what its
whole folder says.
"""

import ast
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

from hft.core.errors import ValidationError
from hft.research.alphas import protocol
from hft.research.alphas.containment import own_code
from hft.research.alphas.file_access import READERS, foreign_modules, is_own, watching
from hft.research.alphas.loaded import LoadedAlpha
from hft.research.alphas.manifest import AlphaManifest
from hft.research.alphas.signals import instance, said
from hft.research.workspace import Workspace
from hft.runs.nearest import nearest
from hft.storage.python_file import PackageFromText
from hft.storage.python_file import load as load_file

IMPL = "impl.py"
PACKAGES = "_hft_alpha_"  # how the package of an alpha's folder is named, before its hash

sys.meta_path.insert(0, PackageFromText(PACKAGES))


def folders(workspace: Workspace) -> list[Path]:
    """The alphas' folders, sorted; those that begin with "_" or "." are none."""
    if not workspace.alphas.is_dir():
        return []
    return sorted(
        path
        for path in workspace.alphas.iterdir()
        if path.is_dir() and path.name[0] not in "_." and (path / IMPL).is_file()
    )


class NoSuchAlpha(ValidationError):
    """An id that no alpha of the workspace has: there is nothing to judge."""


def unknown(wanted: str, there: Iterable[str], errors: Sequence[str]) -> NoSuchAlpha:
    """That there is no such alpha, with those there are and what cannot be used."""
    ids = sorted(there)
    known = ", ".join(ids) or "none; make one with `hft alpha scaffold ID`"
    broken = f"; not usable: {'; '.join(errors)}" if errors else ""
    return NoSuchAlpha(
        f"alpha {wanted!r}: there is no such alpha{nearest(wanted, ids) or ';'} there are "
        f"{known}{broken}"
    )


def load_folder(folder: Path) -> LoadedAlpha:
    """The alpha of one folder. Raises: ValidationError naming the folder and the cure."""
    _import_readers(folder)
    with watching(folder) as watch:
        with _compiler(folder):
            module = _import(folder)
        cls = _class(module, folder)
        made = instance(cls)
    with own_code(lambda e: ValidationError(f"{folder / IMPL}: manifest raised {said(e)}")):
        manifest = getattr(made, "manifest", None)
    if not isinstance(manifest, AlphaManifest):
        raise ValidationError(
            f"{folder / IMPL}: {cls.__name__}.manifest is {type(manifest).__name__}, not an "
            "AlphaManifest"
        )
    reads = [*watch.opened, *foreign_modules(module.__name__.split(".")[0], folder)]
    return LoadedAlpha(manifest, cls, folder, code_hash(folder), tuple(reads))


def _import_readers(folder: Path) -> None:
    """Libraries that read files must be there before they can be watched."""
    text = "".join(_texts(folder))
    for name in READERS:
        if name.split(".")[0] in text and importlib.util.find_spec(name.split(".")[0]):
            importlib.import_module(name)


def _texts(folder: Path) -> list[str]:
    return [path.read_text(errors="replace") for path in sources(folder, (".py",))]


def _compiler(folder: Path) -> AbstractContextManager[None]:
    """For an alpha that compiles: what is compiled is its text, and no cache of its text before."""
    if not any("numba" in text or "jit" in text for text in _texts(folder)):
        return nullcontext()
    from hft.core.jit import users_compile

    return users_compile()


def _import(folder: Path) -> ModuleType:
    """`impl.py` as a package of its own, so that `from .other import x` works in it."""
    path = folder / IMPL
    package = f"{PACKAGES}{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"
    _forget_alphas(folder, package)
    parent = ModuleType(package)
    parent.__path__ = [str(folder)]
    sys.modules[package] = parent
    with own_code(lambda e: ValidationError(f"{path}: cannot be imported: {said(e)}")):
        return load_file(path, f"{package}.impl")


def _forget_alphas(folder: Path, package: str) -> None:
    """What was imported of this package, or by a plain name from the folder of any alpha.

    Two alphas may each have a `helper.py` on `sys.path`: the second would be given the first's.
    The script that runs and tests that are at work stay.
    """
    alphas = tuple(
        f"{place}{os.sep}" for place in {folder.parent.absolute(), folder.parent.resolve()}
    )
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        inside = next((file[len(place) :] for place in alphas if file.startswith(place)), "")
        stays = name.startswith((PACKAGES, "__main__", "__mp_main__"))
        at_work = "tests" in inside.split(os.sep)
        if name.split(".")[0] == package or (inside and not stays and not at_work):
            del sys.modules[name]


def _class(module: ModuleType, folder: Path) -> Any:
    """`ALPHA_CLASS`, else the one class of the module that is an alpha."""
    path = folder / IMPL
    named = getattr(module, "ALPHA_CLASS", None)
    if named is not None:
        if not inspect.isclass(named):
            raise ValidationError(f"{path}: ALPHA_CLASS is not a class")
        wrong = protocol.complaints(named)
        if wrong:
            raise ValidationError(f"{path}: ALPHA_CLASS {named.__name__} {'; '.join(wrong)}")
        return named
    own = [
        one
        for one in vars(module).values()
        if inspect.isclass(one) and one.__module__ == module.__name__
    ]
    fitting = [one for one in own if protocol.fits(one)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(one.__name__ for one in fitting)
        raise ValidationError(f"{path}: {names} all fit; name one with ALPHA_CLASS = ...")
    reasons = [f"{one.__name__} {'; '.join(protocol.complaints(one))}" for one in own[:3]]
    raise ValidationError(
        f"{path}: holds no alpha{': ' + ', '.join(reasons) if reasons else ''}; "
        "`hft alpha scaffold` writes one to start from"
    )


def code_hash(folder: Path) -> str:
    """SHA-256 of every file of an alpha's folder but its README, changelog and caches."""
    digest = hashlib.sha256()
    for path in sources(folder):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def idea_hash(folder: Path) -> str:
    """SHA-256 of what the code says, whatever its comments, doc strings, layout and tests do."""
    digest = hashlib.sha256()
    for path in sources(folder):
        parts = path.relative_to(folder)
        if parts.parts[0] != "tests":
            digest.update(f"{parts.as_posix()}\0".encode())
            digest.update(hashlib.sha256(_said(path)).digest())
    return digest.hexdigest()


def _said(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix != ".py":
        return content
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return content
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):  # a text that stands alone is a comment
            node.body = [one for one in body if not _is_text(one)]  # type: ignore[attr-defined]
    return ast.dump(tree).encode("utf-8", "surrogatepass")


def _is_text(node: ast.AST) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def sources(folder: Path, suffixes: Sequence[str] = ()) -> list[Path]:
    """The files that make an alpha what it is, sorted."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_own(path.relative_to(folder).parts):
            found.append(path)
    return [path for path in found if not suffixes or path.suffix in suffixes]
