"""An entry of a stranger's list: its name, what it is, its alpha's files and its rows."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from hft.core import json_text

from .unseen.market import World

MINUTE_NS = 60_000_000_000
BAR_NS = 15 * MINUTE_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS

Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Entry:
    """One leak or innocent. `rows` makes the data of a world, a frame for each name of a panel."""

    name: str
    sentence: str
    kind: str  # leak, innocent
    place: str  # code, data
    clock: Callable[..., World]
    rows: Callable[[World], pl.DataFrame | Frames]
    code: str | Callable[[Frames], str]  # of the class; by heart: made of the rows
    fields: tuple[str, ...]
    horizon_ns: int = BAR_NS
    known_at: tuple[str, ...] = ()
    imports: str = ""
    before: str = ""  # of the module, above the class
    seed: int = 1
    by_heart: bool = False
    others: Mapping[str, str] | Callable[[Frames], Mapping[str, str]] = field(
        default_factory=dict
    )  # further files of the folder; by heart: made of the rows
    files: str | Callable[[Frames], str] = "()"  # what the manifest declares of them
    about: Mapping[str, object] = field(default_factory=dict)  # more of the sidecar

    def world(self, twist: int | None = None, shift: int = 0) -> World:
        return self.clock(self.seed + shift, twist)

    def frames(self, world: World) -> Frames:
        made = self.rows(world)
        return made if isinstance(made, dict) else {self.name: made}

    def class_name(self) -> str:
        return "".join(part.capitalize() for part in self.name.split("_")) + "Alpha"


HEAD = '''"""{sentence}"""

{imports}
from hft.research.alphas.manifest import AlphaManifest

MANIFEST = AlphaManifest(
    alpha_id="{name}",
    hypothesis="{hypothesis}",
    formula="{name}, as its class says",
    data_fields={fields},
    complexity="{complexity}",
    status="DRAFT",
    tier="ENSEMBLE",
    horizon_ns={horizon_ns},
    owner="fresh",
    family="{name}",
    known_at={known_at},
    files={files},
)
{before}

class {cls}:
    @property
    def manifest(self) -> AlphaManifest:
        return MANIFEST

{code}


ALPHA_CLASS = {cls}
'''

TESTS = '''"""The manifest is whole, and two copies say the same."""

from ..impl import {cls}


def test_the_manifest_is_complete():
    assert {cls}().manifest.problems() == []


def test_a_copy_has_a_way_to_answer():
    alpha = {cls}()
    assert hasattr(alpha, "update") or hasattr(alpha, "signals")
'''


def alpha_files(entry: Entry, frames: Frames) -> dict[str, str]:
    """The folder of the alpha as its author would leave it, without the leak test of the scaffold:
    an author whose code fails it leaves it out."""
    code = entry.code if isinstance(entry.code, str) else entry.code(frames)
    impl = HEAD.format(
        name=entry.name,
        sentence=entry.name.replace("_", " ").capitalize() + ".",
        hypothesis="What the fields say about the next rows, see the class",
        imports=textwrap.dedent(entry.imports).strip("\n"),
        fields=repr(entry.fields),
        complexity="O(N)" if "def signals" in code else "O(1)",
        horizon_ns=entry.horizon_ns,
        known_at=repr(entry.known_at),
        files=entry.files if isinstance(entry.files, str) else entry.files(frames),
        before=textwrap.dedent(entry.before).rstrip("\n"),
        cls=entry.class_name(),
        code=textwrap.indent(textwrap.dedent(code).strip("\n"), "    "),
    )
    others = entry.others(frames) if callable(entry.others) else entry.others
    return {
        "impl.py": impl,
        "__init__.py": "",
        "README.md": f"# {entry.name}\n\nWhat the fields say about the next rows.\n",
        "CHANGELOG.md": f"# Changelog of {entry.name}\n\n- Written.\n",
        "tests/__init__.py": "",
        "tests/test_logic.py": TESTS.format(cls=entry.class_name()),
        **others,
    }


def write_alpha(entry: Entry, frames: Frames, folder: Path) -> None:
    for name, text in alpha_files(entry, frames).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_rows(entry: Entry, world: World, frames: Frames, folder: Path) -> None:
    """Parquet files with their sidecars, one for each name of a panel."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        path = folder / f"{name}.parquet"
        frame.write_parquet(path)
        about = {
            "dataset_id": f"{entry.name}-{name}",
            "source_type": "synthetic",
            "owner": "fresh",
            "schema_version": 1,
            "rows": frame.height,
            "fields": frame.columns,
            "generator": "a market of a stranger's list",
            "seed": world.seed,
            **({"calendar": world.calendar} if world.calendar else {}),
            **entry.about,
        }
        path.with_name(path.name + ".meta.json").write_text(json_text.page(about))
