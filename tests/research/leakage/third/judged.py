"""The third list before Gate A: `python -m tests.research.leakage.third.judged [NAME ...]`."""

from ..judged import main
from .catalogue import ENTRIES
from .check import judged_by_twin
from .misjudged import MISJUDGED

if __name__ == "__main__":
    raise SystemExit(main(ENTRIES, MISJUDGED, lambda entry, folder: judged_by_twin(entry)))
