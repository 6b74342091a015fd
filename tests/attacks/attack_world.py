"""Attacks as their authors wrote them: an alpha's file each, and what has to come of it.

The first line of a file says what it tries, `Promise:` what hft says of it, `Stopped by:` the check
or the words that stop it under the installed command on years: a pattern, or "noise", where it
earns what noise earns and evidence alone stops it. `On weeks:` says what stops it on a month of
sessions, where that is something else. Where an author had the rows, their answers stand in place
of @ANSWERS@ and its like.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hft.api import research
from hft.research.data.load import load

HERE = Path(__file__).parent
OWN_TESTS = {"tests/test_own.py": "def test_it() -> None:\n    assert True\n"}
OWN = ("attack_world.py", "test_attacks.py", "table.py", "command.py", "odds.py")
NOISE, EVIDENCE = "noise", ("permutation_p", "lag1_retention", "coverage")
RIGHT, FEW_SESSIONS = (
    0.65,
    200,
)  # of the answers an author writes down: a key that is always right is too good


@dataclass(frozen=True)
class Attack:
    """One file of this folder."""

    name: str
    tries: str
    promise: str
    stopped_by: str
    text: str
    on_weeks: str = ""

    @property
    def files(self) -> Mapping[str, str]:
        """What lies beside its code: its own tests unless it says otherwise."""
        for node in ast.parse(self.text).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FILES":
                return OWN_TESTS | dict(ast.literal_eval(node.value))
        return OWN_TESTS

    @property
    def is_noise(self) -> bool:
        """Is all that comes of it on weeks what noise earns?"""
        return (self.on_weeks or self.stopped_by) == NOISE

    def fits(self, outcome: str, *, weeks: bool = False) -> bool:
        """Is this what had to come of it?"""
        pattern = self.on_weeks if weeks and self.on_weeks else self.stopped_by
        return bool(re.search(rf"(?:{pattern})", outcome))


def attacks() -> Iterator[Attack]:
    """Every attack of the folder, by name."""
    for path in sorted(HERE.glob("*.py")):
        text = path.read_text()
        if "Stopped by:" not in text or path.name in OWN:
            continue
        said = ast.get_docstring(ast.parse(text)) or ""
        tries, promise, stopped, *weeks = (
            part.strip() for part in re.split(r"\n*Promise: |\nStopped by: |\nOn weeks: ", said)
        )
        yield Attack(path.stem, " ".join(tries.split()), promise, stopped, text, *weeks)


def workspace(root: Path) -> Path:
    """A workspace with a key, whose audit is the journal."""
    research.init(root)
    settings = root / "config" / "default.yaml"
    on, off = "HFT_ALPHA_AUDIT_ENABLED: true", "HFT_ALPHA_AUDIT_ENABLED: false"
    settings.write_text(settings.read_text().replace(on, off))
    return root


def install(attack: Attack, root: Path, answers: Mapping[str, str]) -> None:
    """Its files in the workspace, with the answers that its author had."""
    folder = root / "research" / "alphas" / attack.name
    text = attack.text
    for name, value in answers.items():
        text = text.replace(f'"{name}"', value)
    for name, content in {"impl.py": text, **attack.files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def answers_to(data: Path, right: float | None = None) -> dict[str, str]:
    """What an author who has the rows writes down: a side a session, and the sides of some rows.

    `right` is the share of sides that are so; by the number of sessions where it is None.
    """
    rows = load(str(data))
    days = list(rows.sessions)
    first = np.searchsorted(rows.session, days)
    last = np.append(first[1:], len(rows)) - 1
    sides = np.sign(rows.price[last] - rows.price[first])
    if right is None:
        right = RIGHT if len(days) > FEW_SESSIONS else 1.0
    wrong = np.random.Generator(np.random.Philox(3)).random(len(sides)) > right
    bits = "".join("1" if side > 0 else "0" for side in np.where(wrong, -sides, sides))
    step = max(len(rows) // 1_500, 1)
    some = range(0, len(rows) - step, step)
    flow = rows.field("ofi")
    keyed = "".join(
        f"{hash((float(rows.price[k]), float(flow[k]))) % 0xFFFFFF:06x}"
        f"{int(rows.price[k + step] > rows.price[k])}"
        for k in some
    )
    opens = [round(float(price), 4) for price in rows.price[first]]
    given = {"@ANSWERS@": bits, "@DAYS@": days, "@ROWS@": keyed, "@OPENS@": opens}
    return {name: repr(value) for name, value in given.items()}


def outcome_of(gates: list[dict], refused: str) -> str:
    """The structural lines that failed, by gate, or the words of a refusal; "noise" where there is
    none of both."""
    if refused:
        return f"refused: {refused}"
    failed = [
        f"{gate['gate']} {check['id']}"
        for gate in gates
        for check in gate["checks"]
        if check["verdict"] == "FAIL" and check.get("deciding", True)
    ]
    structural = [one for one in failed if one[0] != "C" and one.split()[1] not in EVIDENCE]
    return "; ".join(structural) or NOISE


def stole(attack: Attack, outcome: str) -> bool:
    """Did it get at something? A row of its own data in a refusal is what is not promised."""
    return "STOLEN" in outcome and attack.name != "smuggles_rows"


def passed_noise(gates: list[dict]) -> bool:
    """Did noise pass A, B and C?"""
    verdicts = {gate["gate"]: gate["verdict"] for gate in gates}
    return all(verdicts.get(name) == "PASS" for name in "ABC")
