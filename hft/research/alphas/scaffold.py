"""A new alpha's folder: from the templates, or as a copy of an example under a new name.

Hypothesis and horizon are written before any result exists. All files appear together or none; a
folder that is there is an error, and `force` rewrites the files of a scaffold and nothing else.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from hft.core.errors import ConfigError, ValidationError
from hft.research.alphas import examples
from hft.research.alphas.ids import alpha_id, class_name
from hft.research.alphas.manifest import AlphaManifest
from hft.research.durations import duration_ns, duration_text
from hft.research.workspace import Workspace
from hft.storage.atomic import staged

FIELD = "ofi"
DEFAULT_HORIZON = "1min"
TEMPLATES = {
    "impl.py": "impl.py",
    "README.md": "README.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "tests/test_logic.py": "test_logic.py",
    "tests/test_anti_leak.py": "test_anti_leak.py",
}
EMPTY = ("__init__.py", "tests/__init__.py")
COMPLEXITY_NAMES = {"O1": "O(1)", "ON": "O(N)"}
DRAFT = {"status": "DRAFT", "tier": "ENSEMBLE"}


class AlreadyThere(ValidationError):
    """A folder that would be written over."""

    exit_code = 73


@dataclass(frozen=True)
class Scaffolded:
    """What was written."""

    alpha_id: str
    folder: Path
    files: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "alpha_id": self.alpha_id,
            "folder": str(self.folder),
            "files": list(self.files),
        }


def scaffold(
    workspace: Workspace,
    name: str,
    *,
    date: str,
    owner: str,
    source: str | None = None,
    hypothesis: str | None = None,
    horizon: str | None = None,
    papers: Sequence[str] = (),
    complexity: str | None = None,
    force: bool = False,
) -> Scaffolded:
    """Write the folder of a new alpha; `source` names an example to copy.

    Raises: ValidationError for a bad id or example, ConfigError for another argument, AlreadyThere
    for a folder that exists.
    """
    identifier = alpha_id(name)
    folder = workspace.alphas / identifier
    if folder.exists() and not force:
        raise AlreadyThere(
            f"{folder}: is already there; choose another id, or --force to write the scaffold's "
            "files anew"
        )
    changes = _changes(identifier, owner, hypothesis, horizon, papers, complexity)
    if source is None:
        files = _from_templates(workspace, identifier, changes, date)
    else:
        files = _from_example(workspace, identifier, changes, date, source)
    _write(folder, files)
    return Scaffolded(identifier, folder, tuple(sorted(files)))


def _changes(
    identifier: str,
    owner: str,
    hypothesis: str | None,
    horizon: str | None,
    papers: Sequence[str],
    complexity: str | None,
) -> dict[str, Any]:
    """The manifest's values that were given, checked."""
    found: dict[str, Any] = {"alpha_id": identifier, "owner": owner, **DRAFT}
    if hypothesis is not None:
        found["hypothesis"] = hypothesis
    if horizon is not None:
        try:
            found["horizon_ns"] = duration_ns(horizon)
        except ValidationError as error:
            raise ConfigError(str(error)) from None
    if papers:
        found["paper_refs"] = tuple(papers)
    if complexity is not None:
        short = re.sub(r"[\s()]+", "", complexity).upper()
        if short not in COMPLEXITY_NAMES:
            raise ConfigError(f"--complexity: {complexity!r} is none of O1, ON")
        found["complexity"] = COMPLEXITY_NAMES[short]
    return found


def _from_templates(
    workspace: Workspace, identifier: str, changes: Mapping[str, Any], date: str
) -> dict[str, str]:
    values = {
        "hypothesis": f"{FIELD} away from its own past predicts the next move: say why it should.",
        "formula": f"({FIELD} - decayed mean) / (3 x decayed deviation), clipped to -1 to 1",
        "data_fields": (FIELD,),
        "complexity": "O(1)",
        "horizon_ns": duration_ns(DEFAULT_HORIZON),
        "family": identifier,
        **changes,
    }
    manifest = AlphaManifest(**values)
    words = _words(manifest, date, "")
    files = {
        target: Template(examples.template(name, workspace)).substitute(words)
        for target, name in TEMPLATES.items()
    }
    files["impl.py"] = with_manifest(files["impl.py"], values, "impl.py")
    return files | dict.fromkeys(EMPTY, "")


def _words(manifest: AlphaManifest, date: str, origin: str) -> dict[str, str]:
    """What the templates name."""
    papers = "\n".join(f"- {paper}" for paper in manifest.paper_refs)
    return {
        "alpha_id": manifest.alpha_id,
        "title": manifest.alpha_id.replace("_", " ").capitalize(),
        "class_name": class_name(manifest.alpha_id),
        "field": FIELD,
        "fields": ", ".join(f"`{name}`" for name in manifest.data_fields),
        "hypothesis": manifest.hypothesis,
        "formula": manifest.formula,
        "horizon": duration_text(manifest.horizon_ns),
        "papers": papers or "None named.",
        "date": date,
        "origin": origin,
    }


def _from_example(
    workspace: Workspace, identifier: str, changes: Mapping[str, Any], date: str, source: str
) -> dict[str, str]:
    folder = examples.example(source, workspace)
    old = folder.name
    files = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not {"__pycache__", ".pytest_cache"} & set(inside.parts):
            files[inside.as_posix()] = path.read_text(encoding="utf-8")
    impl = files.get("impl.py", "")
    before = manifest_of(impl, str(folder / "impl.py"))
    for target, text in files.items():
        if target.endswith(".py"):
            renamed = re.sub(rf"\b{class_name(old)}\b", class_name(identifier), text)
            files[target] = renamed
    files["impl.py"] = with_manifest(files["impl.py"], changes, str(folder / "impl.py"))
    after = AlphaManifest(**{**before, **changes})
    words = _words(after, date, f" from {old}")
    for name in ("README.md", "CHANGELOG.md"):
        files[name] = Template(examples.template(name, workspace)).substitute(words)
    return files | {name: files.get(name, "") for name in EMPTY}


def manifest_of(text: str, source: str) -> dict[str, Any]:
    """The literal values of the manifest in an alpha's source. Raises: ValidationError."""
    call = _manifest_call(text, source)
    found = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            continue
        try:
            found[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            continue
    return found


def with_manifest(text: str, changes: Mapping[str, Any], source: str) -> str:
    """The source with other values in its `AlphaManifest(...)`; values not named stay."""
    call = _manifest_call(text, source)
    values = {
        keyword.arg: ast.get_source_segment(text, keyword.value) or ""
        for keyword in call.keywords
        if keyword.arg is not None
    }
    values |= {name: literal(value, len(name) + 5) for name, value in changes.items()}
    order = [name for name in AlphaManifest.__dataclass_fields__ if name in values]
    body = "".join(f"    {name}={values[name]},\n" for name in order)
    lines = text.splitlines(keepends=True)
    first, last = call.lineno - 1, (call.end_lineno or call.lineno) - 1
    head, tail = lines[first][: call.col_offset], lines[last][call.end_col_offset or 0 :]
    made = f"{head}AlphaManifest(\n{body}){tail}"
    return "".join([*lines[:first], made, *lines[last + 1 :]])


def _manifest_call(text: str, source: str) -> ast.Call:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ValidationError(f"{source}: line {error.lineno}: is no Python: {error.msg}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("AlphaManifest"):
            return node
    raise ValidationError(f"{source}: writes no AlphaManifest(...), so it cannot be copied")


def literal(value: Any, used: int) -> str:
    """A value as source text, long texts in pieces that keep lines short."""
    if isinstance(value, tuple):
        if len(repr(value)) + used <= 96:
            return _quoted_tuple(value)
        inner = "".join(f"        {literal(one, 8)},\n" for one in value)
        return f"(\n{inner}    )"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}"
    if not isinstance(value, str) or len(value) + used <= 92:
        return _quoted(value)
    pieces, line = [], ""
    for word in re.split(r"(?<= )", value):
        if len(line) + len(word) > 84 and line:
            pieces.append(line)
            line = ""
        line += word
    pieces.append(line)
    return "(\n" + "".join(f"        {_quoted(piece)}\n" for piece in pieces) + "    )"


def _quoted(value: Any) -> str:
    """As the formatter would write it: double quotes where they need no escape."""
    text = repr(value)
    plain = isinstance(value, str) and '"' not in value and "'" not in value
    return f'"{text[1:-1]}"' if plain else text


def _quoted_tuple(value: tuple[Any, ...]) -> str:
    inner = ", ".join(_quoted(one) for one in value)
    return f"({inner},)" if len(value) == 1 else f"({inner})"


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """The tests first, the folder's own files last: with `impl.py` it becomes an alpha."""
    inner = {name: text for name, text in files.items() if "/" in name}
    outer = {name: text for name, text in files.items() if "/" not in name}
    for place in sorted({Path(name).parent for name in inner}):
        with staged(folder / place) as stage:
            for name, text in sorted(inner.items()):
                if Path(name).parent == place:
                    stage.aside(Path(name).name).write_text(text, encoding="utf-8")
    with staged(folder) as stage:
        for name, text in sorted(outer.items()):
            stage.aside(name).write_text(text, encoding="utf-8")
