"""The alphas and templates that come with hft: in a checkout beside the package, in a wheel inside.

Nothing here writes.
"""

from pathlib import Path

from hft.core.errors import ValidationError
from hft.research.workspace import Workspace
from hft.runs.nearest import nearest

_PACKAGE = Path(__file__).resolve().parents[2]
TEMPLATES = "_templates"


def folder() -> Path | None:
    """Where the shipped alphas are."""
    places = (_PACKAGE / "shipped" / "alphas", _PACKAGE.parent / "research" / "alphas")
    return next((place for place in places if (place / TEMPLATES).is_dir()), None)


def examples() -> dict[str, Path]:
    """The shipped example alphas by id."""
    found = folder()
    if found is None:
        return {}
    return {
        path.name: path
        for path in sorted(found.iterdir())
        if path.is_dir() and path.name[0] not in "_." and (path / "impl.py").is_file()
    }


def example(name: str, workspace: Workspace) -> Path:
    """An alpha to copy from: of the workspace, else shipped. Raises: ValidationError."""
    own = workspace.alphas / name
    if "/" not in name and (own / "impl.py").is_file():
        return own
    known = examples()
    if name not in known:
        raise ValidationError(
            f"--from {name!r}: there is no such alpha{nearest(name, known) or ';'} there are "
            f"{', '.join(known) or 'none'}"
        )
    return known[name]


def template(name: str, workspace: Workspace) -> str:
    """A template's text: the workspace's own, else the shipped one. Raises: ValidationError."""
    places = [workspace.alphas / TEMPLATES]
    shipped = folder()
    if shipped is not None:
        places.append(shipped / TEMPLATES)
    for place in places:
        path = place / f"{name}.txt"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise ValidationError(f"template {name!r}: is not in {', '.join(map(str, places))}")
