"""Notebooks with their outputs: executed in an empty folder, then written without what is chance.

`make notebooks` runs each notebook twice. What comes out twice is kept. A hash or key that differs,
since a clock, a fresh key or the machine is in it, is written as dots, and so are names of run
folders and hashes of the engine: nothing is put in their place. Any other difference is an error.
"""

import math
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TIMEOUT_S = 900
SIZE_MAX = 1_000_000
DOT = "·"
USER = "researcher"
LEFT_OUT = ("HFT_TEST_DATA", "GATEWAY_CONFIG", "COLUMNS", "LINES", "CI")
FIXED = {
    "LOGNAME": USER,
    "USER": USER,
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
}

# What depends on the clock or on this version of the engine, wherever it stands.
RUN = re.compile(r"\b\d{8}T\d{6}Z_[0-9a-f]{8}\b(?:\.\d+)?")
ENGINE = re.compile(r'(?<=key: ")[0-9a-f]{64}|(?<=kernel: ")[0-9a-f]{64}')
TOKEN = re.compile(r"[0-9A-Za-z+/]+|.", re.DOTALL)
NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-−+]?\d+)?")
MASKABLE = re.compile(r"[0-9a-f]{5,}|AAAA[0-9A-Za-z+/]{20,}|[0-9A-Za-z+/]{40,}")


def environment() -> dict[str, str]:
    """The caller's, without what would show in outputs."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in LEFT_OUT and not (name.startswith("HFT_") and name != "HFT_CACHE_DIR")
    }
    return kept | FIXED


def executed(path: Path, folder: Path) -> Any:
    """A notebook after a run in a folder, with clean outputs."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(
        notebook, timeout=TIMEOUT_S, resources=place, record_timing=False
    )
    client.execute(env=environment())
    return cleaned(notebook, folder)


def cleaned(notebook: Any, folder: Path) -> Any:
    """Without paths, stamps and what else is of this execution alone."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
            for output in cell.outputs:
                for holder, name in texts(output):
                    holder[name] = plain(holder[name], folder)
    return notebook


def joined(outputs: list[Any]) -> list[Any]:
    """Streams in one piece: where they are cut is chance."""
    out: list[Any] = []
    for output in outputs:
        stream = output.output_type == "stream"
        if stream and out and out[-1].get("name") == output.name:
            out[-1].text += output.text
        else:
            output.get("metadata", {}).clear()
            out.append(output)
    return out


def texts(output: Any) -> list[tuple[Any, str]]:
    """Every text of an output: what holds it, and its name there."""
    if output.output_type == "stream":
        return [(output, "text")]
    data = output.get("data", {})
    return [(data, name) for name in sorted(data) if isinstance(data[name], str)]


def plain(text: str, folder: Path) -> str:
    """A text without places, stamps and hashes of the engine."""
    temporary = re.escape(tempfile.gettempdir())
    text = re.sub(rf"{temporary}/(hft_[a-z]+)_\w{{8}}\b", r"\1", text)
    text = text.replace(f"{folder}/", "").replace(str(folder), ".")
    return ENGINE.sub(dots, RUN.sub(dots, text))


def dots(found: re.Match[str]) -> str:
    """As many dots as there were letters and digits."""
    return re.sub(r"\w", DOT, found[0])


def agreed(first: Any, second: Any) -> Any:
    """The first execution, hashes that the second does not repeat as dots.

    Raises: ValueError for another difference, which a reader would not see again either.
    """
    for one, two in zip(first.cells, second.cells, strict=True):
        for left, right in zip(one.get("outputs", []), two.get("outputs", []), strict=True):
            for (holder, name), (other, _) in zip(texts(left), texts(right), strict=True):
                holder[name] = common(holder[name], other[name], one.id)
    return first


def common(first: str, second: str, where: str) -> str:
    """One text of two that differ in hashes only."""
    left, right = TOKEN.findall(first), TOKEN.findall(second)
    if len(left) != len(right):
        raise ValueError(f"{where}: two executions differ: {first!r} and {second!r}")
    out = []
    for a, b in zip(left, right, strict=True):
        if a != b and not (len(a) == len(b) and MASKABLE.fullmatch(a) and MASKABLE.fullmatch(b)):
            raise ValueError(f"{where}: two executions differ: {a!r} and {b!r}")
        out.append(a if a == b else DOT * len(a))
    return "".join(out)


def differences(committed: Any, found: Any) -> list[str]:
    """What an execution shows that the committed notebook does not, a line for each cell."""
    out = []
    for one, two in zip(committed.cells, found.cells, strict=True):
        shown, now = one.get("outputs", []), two.get("outputs", [])
        kinds = [[(o.output_type, *sorted(o.get("data", {}))) for o in s] for s in (shown, now)]
        if kinds[0] != kinds[1]:
            out.append(f"{one.id}: {kinds[0]} committed, {kinds[1]} now")
            continue
        for left, right in zip(shown, now, strict=True):
            for (holder, name), (other, _) in zip(texts(left), texts(right), strict=True):
                least = 0.02 if name == "image/svg+xml" else 1e-9
                if not same(holder[name], other[name], least):
                    out.append(f"{one.id}, {name}: {part(holder[name], other[name])}")
    return out


def same(committed: str, found: str, least: float) -> bool:
    """Equal but for what is dots, and for the last digits that another processor computes.

    A number may differ by a millionth, or by `least`; a coordinate of a picture by its last digit.
    """
    if committed == found:
        return True
    if len(committed) == len(found):
        found = "".join(DOT if a == DOT else b for a, b in zip(committed, found, strict=True))
    if NUMBER.split(committed) != NUMBER.split(found):
        return False
    pairs = zip(NUMBER.findall(committed), NUMBER.findall(found), strict=True)
    return all(
        a == b or math.isclose(value(a), value(b), rel_tol=1e-6, abs_tol=least) for a, b in pairs
    )


def value(text: str) -> float:
    """A number as people write it."""
    return float(text.replace(",", "").replace("−", "-"))


def part(committed: str, found: str) -> str:
    """Where two texts part, with some of both."""
    pairs = zip(committed, found, strict=False)
    at = next((k for k, (a, b) in enumerate(pairs) if a != b and a != DOT), 0)
    left, right = (text[max(at - 40, 0) : at + 80] for text in (committed, found))
    return f"{left!r} committed, {right!r} now"


def write(path: Path) -> None:
    """Execute a notebook twice and write it. Raises: ValueError where it is too large."""
    import nbformat

    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        shown = agreed(executed(path, Path(first)), executed(path, Path(second)))
    text = nbformat.writes(shown, indent=1) + "\n"
    size = len(text.encode())
    if size > SIZE_MAX:
        raise ValueError(f"{path.name}: {size:,} bytes, and {SIZE_MAX:,} are allowed")
    nbformat.validate(shown)
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}  {size:,} bytes", flush=True)


if __name__ == "__main__":
    for one in NOTEBOOKS:
        if not sys.argv[1:] or any(one.name.startswith(name) for name in sys.argv[1:]):
            write(one)
