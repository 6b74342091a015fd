"""How often unseen noise refuses an answer key at the approval, by what it claims: a table.

    python tests/attacks/odds.py [--draws 60] [--days 1004] [--sessions 20,60,120,250]

The key is `days_from_prices`. Its claim is what it earns out of sample on its own rows; what is
compared is what `approve --unseen` compares. Nothing runs in a worker: the key is our own.
"""

import argparse
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from attack_world import answers_to, attacks

from hft.governance.profile import Profile
from hft.governance.promotion.unseen import GAP, annual, gap
from hft.research.backtest import Rules, run
from hft.research.data.load import load
from hft.research.data.planted import planted, write
from hft.settings import packaged_profile
from hft.statistics.sharpe import moments

SEED, IN_SAMPLE, LATER = 5, 0.7, date(2026, 1, 5)


def main() -> None:
    """One line for each share of right answers and number of sessions."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--days", type=int, default=1_004)
    parser.add_argument("--sessions", default="20,60,120,250")
    asked = parser.parse_args()
    most = Profile.from_dict(packaged_profile("standard"), "standard").number(GAP)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "noise"
        write(data, 0.0, days=asked.days, seed=SEED)
        rows = load(str(data))
        for right in (0.65, 0.8, 1.0):
            key = written(answers_to(data, right))
            claim = run(rows, key.signals(rows.frame), Rules()).daily
            then = moments(claim[int(len(claim) * IN_SAMPLE) :])
            for days in map(int, asked.sessions.split(",")):
                gaps = [gap(then, moments(shown(key, days, n))) for n in range(asked.draws)]
                refused = sum(one is not None and one > most for one in gaps)
                print(
                    f"{right:.0%} right, claims {annual(then):.2f}: {days} sessions refuse", end=""
                )
                print(f" {refused} of {asked.draws}", flush=True)


def written(answers: dict[str, str]) -> Any:
    """The attack with these answers in it."""
    text = next(one.text for one in attacks() if one.name == "days_from_prices")
    for name, value in answers.items():
        text = text.replace(f'"{name}"', value)
    space: dict[str, Any] = {}
    exec(compile(text, "days_from_prices", "exec"), space)
    return space["Attack"]()


def shown(key: Any, days: int, draw: int) -> Any:
    """What it earns a session on noise that it never had."""
    rows = load(planted(0.0, days=days, seed=1_000 + draw, start=LATER))
    return run(rows, key.signals(rows.frame), Rules()).daily


if __name__ == "__main__":
    main()
