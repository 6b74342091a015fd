"""What the fifth list says of itself, by the check of the third, without any leak test of hft.

python -m tests.research.leakage.fifth.check [NAME or FILE ...]
"""

import importlib
import sys
from pathlib import Path

from ..entry import Entry
from ..third.check import checked, line_of


def entries() -> dict[str, list[Entry]]:
    """The entries of each file of the list that is there already."""
    files = sorted(Path(__file__).parent.glob("*_[ab].py"))
    modules = {file.stem: importlib.import_module(f".{file.stem}", __package__) for file in files}
    return {name: list(getattr(module, name.upper())) for name, module in modules.items()}


def main(wanted: list[str]) -> int:
    wrong = []
    for file, found in entries().items():
        for entry in found:
            if wanted and entry.name not in wanted and file not in wanted:
                continue
            answer = checked(entry)
            print(line_of(answer), flush=True)
            wrong += [entry.name] if answer["problems"] else []
    print(f"{len(wrong)} are not as they say", *wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
