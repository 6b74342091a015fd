"""The second list before Gate A: `python -m tests.research.leakage.unseen.judged [NAME ...]`."""

from pathlib import Path
from typing import Any

from ..entry import Entry
from ..judged import main
from .catalogue import ENTRIES
from .checks import judged_by_twin
from .misjudged import MISJUDGED


def twin(entry: Entry, folder: Path) -> dict[str, Any]:
    """The entry against other draws, and how large it is."""
    frames = entry.frames(entry.world())
    rows = sum(frame.height for frame in frames.values())
    return {"rows": rows, "names": len(frames), **judged_by_twin(entry, folder, frames)}


if __name__ == "__main__":
    raise SystemExit(main(ENTRIES, MISJUDGED, twin))
