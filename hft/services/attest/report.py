"""What was seen of each control, and whether that was what had to be.

A control is driven on both sides of its limit: what is just allowed must pass, what is just not
allowed must be refused with its own reason. A line of the report is a control with the paragraph
it answers (SEC 15c3-5, FIA guide, CME) and what was seen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hft.core.codes import Reason

Answer = Reason | str  # a sentence where nothing of the kernel answers


def name(answer: Answer) -> str:
    """As the report shows it."""
    return answer.name if isinstance(answer, Reason) else answer


@dataclass(frozen=True)
class Seen:
    """One step: what was asked, what had to come of it, and what came."""

    asked: str
    wanted: Answer
    found: Answer

    @property
    def ok(self) -> bool:
        return self.wanted == self.found


Make = Callable[[dict[str, Any]], Any]
Pack = Callable[[Make], Iterator[Seen]]


@dataclass(frozen=True)
class Control:
    """A control of the catalogue; `show` drives it on what is made for its limits."""

    name: str
    answers: str
    show: Pack


@dataclass(frozen=True)
class Attested:
    """A control with what was seen of it."""

    control: Control
    seen: Sequence[Seen]
    defect: str = ""

    @property
    def ok(self) -> bool:
        """Was anything seen, on both sides, and was all of it as it had to be?"""
        sides = {one.wanted == Reason.OK for one in self.seen}
        return not self.defect and sides == {True, False} and all(one.ok for one in self.seen)

    @property
    def evidence(self) -> str:
        """What was asked and what came, in one line; of a failure what differs comes first."""
        wrong = [
            f"{one.asked}: {name(one.found)}, not {name(one.wanted)}"
            for one in self.seen
            if not one.ok
        ]
        right = [f"{one.asked}: {name(one.found)}" for one in self.seen if one.ok]
        return "; ".join([*([self.defect] if self.defect else []), *wrong, *right])

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "control": self.control.name,
            "answers": self.control.answers,
            "verdict": "PASS" if self.ok else "FAIL",
            "seen": [
                {"asked": one.asked, "wanted": name(one.wanted), "found": name(one.found)}
                for one in self.seen
            ],
            "defect": self.defect,
        }


def attest(controls: Sequence[Control], bench: Make) -> list[Attested]:
    """Drive every control on what `bench` makes. One that raises has failed, and says how."""
    found = []
    for control in controls:
        seen: list[Seen] = []
        defect = ""
        try:
            seen.extend(control.show(bench))
        except Exception as error:
            defect = f"{type(error).__name__}: {error}"
        found.append(Attested(control, seen, defect))
    return found
