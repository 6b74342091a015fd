"""The fourth list before Gate A: `python -m tests.research.leakage.fourth.judged [NAME ...]`."""

from ..judged import main
from ..third.check import judged_by_twin
from .catalogue import ENTRIES
from .misjudged import MISJUDGED

if __name__ == "__main__":
    raise SystemExit(main(ENTRIES, MISJUDGED, lambda entry, folder: judged_by_twin(entry)))
