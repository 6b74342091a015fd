"""What the fourth list says of itself: the third list's check against a twin, on these entries.

python -m tests.research.leakage.fourth.check [NAME ...]
"""

import sys

from ..third.check import checked, line_of
from .catalogue import ENTRIES


def main(names: list[str]) -> int:
    wrong = []
    wanted = [entry for entry in ENTRIES if not names or entry.name in names]
    for entry in wanted:
        answer = checked(entry)
        print(line_of(answer), flush=True)
        wrong += [entry.name] if answer["problems"] else []
    print(f"{len(wanted) - len(wrong)} of {len(wanted)} as they say", *wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
