"""The channel back to us, with the trouble of a fault plan: docs/reference/runs.md, "Faults"."""

from dataclasses import dataclass, replace
from itertools import pairwise

from hft.core.codes import ResponseKind
from hft.core.seeds import PURPOSE_FAULT, draw
from tests.naive.engine.faults import Faults
from tests.naive.engine.venue import Answer

REJECT, LOST, LATE, TWICE = 1, 2, 3, 4  # draws of the plan
NEVER_LOST = (ResponseKind.FILL, ResponseKind.AMENDED, ResponseKind.AMEND_REJECTED)


@dataclass
class Letter:
    """An answer under way; `own_ns` is when it would arrive by itself."""

    at_ns: int
    own_ns: int
    answer: Answer


class Channel:
    """Answers under way, in their order."""

    def __init__(self, plan: Faults, seed: int) -> None:
        self.plan, self.seed = plan, seed
        self.letters: list[Letter] = []
        self.new = 0  # how many of them the thing that happens now has written
        self.draws = 0
        self.last_ns = 0

    def strikes(self, chance: float, purpose: int) -> bool:
        if not chance:
            return False
        found = int(draw(self.seed, PURPOSE_FAULT, purpose, self.draws))
        self.draws += 1
        return found % 1_000_000 < round(chance * 1_000_000)

    def write(self, own_ns: int, answer: Answer) -> None:
        self.last_ns = max(own_ns, self.last_ns)
        self.letters.append(Letter(self.last_ns, own_ns, answer))
        self.new += 1

    def spoil(self) -> None:
        """After each thing that happens at the venue: its answers are lost, late or doubled."""
        fresh = self.letters[len(self.letters) - self.new :] if self.new else []
        self.new = 0
        for k, letter in enumerate(fresh):
            kind = letter.answer.kind
            if kind not in NEVER_LOST and self.strikes(self.plan.lost, LOST):
                letter.answer = replace(letter.answer, kind=int(ResponseKind.UNKNOWN))
                continue
            if self.strikes(self.plan.late, LATE):
                late_ns = max(letter.at_ns, letter.own_ns + self.plan.late_ns)
                for later in [*fresh[k:], *self._copies(fresh)]:
                    later.at_ns = max(later.at_ns, late_ns)
                self.last_ns = max(self.last_ns, late_ns)
            if self.strikes(self.plan.twice, TWICE):
                self.last_ns = max(letter.at_ns, self.last_ns)
                again = replace(letter.answer, again=True)
                self.letters.append(Letter(self.last_ns, self.last_ns, again))

    def _copies(self, fresh: list[Letter]) -> list[Letter]:
        return self.letters[self.letters.index(fresh[-1]) + 1 :]

    def next(self) -> int:
        return self.letters[0].at_ns

    def take(self) -> Answer:
        letter = self.letters.pop(0)
        letter.answer.heard_ns = letter.at_ns
        return letter.answer

    def tells_of(self, oid: int) -> bool:
        return any(letter.answer.oid == oid for letter in self.letters)


def between(pairs: list[tuple[int, int]], now: int) -> int:
    """The latency at `now`: linear between (time, latency) pairs, constant beyond them."""
    if now <= pairs[0][0]:
        return pairs[0][1]
    for (start, low), (end, high) in pairwise(pairs):
        if start <= now < end:
            return low + (high - low) * (now - start) // (end - start)
    return pairs[-1][1]
