"""Readable tables of intents, venue events and expected reasons, run on kernel and twin alike.

A line is `WHO.verb args  REASON` or `event args`; `#n` is the intent number n of its block, `rules`
begins a block with new limits. A bug report becomes a table in `tests/scenarios`.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from gateway_world import Pair, S

from hft.core.codes import IntentType, OrderStatus, PolicyMode, Reason, SelfTradeMode
from hft.gateway.rows import KillScope
from tests.naive.gateway import Rules

FOLDER = Path(__file__).resolve().parents[1] / "scenarios"
BLOCKS = [
    (path.stem, number, block)
    for path in sorted(FOLDER.glob("*.txt"))
    for number, block in enumerate(re.split(r"(?m)^rules", path.read_text())[1:])
]


def value(text: str) -> Any:
    if "," in text:
        return tuple(value(part) for part in text.split(","))
    return Fraction(text) if "/" in text else int(text)


class Table:
    def __init__(self, header: str) -> None:
        rules = {name: value(text) for name, text in (part.split("=") for part in header.split())}
        if "self_trade" in rules:
            rules["self_trade"] = SelfTradeMode(rules["self_trade"])
        self.pair = Pair(Rules(**rules))

    def line(self, text: str) -> None:
        words = text.split("# ")[0].split()
        words = [word for word in words if not (word.startswith("#") and words.index(word) > 3)]
        if "." in words[0]:
            self.intent(words)
        else:
            getattr(self, f"event_{words[0]}")(*words[1:])

    def intent(self, words: list[str]) -> None:
        who, verb = words[0].split(".")
        fields: dict[str, int] = {"strategy_idx": "AB".index(who)}
        expected = next(word for word in words[1:] if re.fullmatch(r"[A-Z][A-Z_]+", word))
        numbers = [int(word) for word in words[1:] if re.fullmatch(r"\d+", word)]
        fields["intent_type"] = {
            "new": IntentType.NEW,
            "amend": IntentType.AMEND,
            "cancel": IntentType.CANCEL,
            "flat": IntentType.FORCE_FLAT,
        }[verb]
        for word in words[1:]:
            if word in ("buy", "sell"):
                fields["side"] = int(word == "sell")
            elif re.fullmatch(r"x\d+", word):
                fields["qty"] = int(word[1:])
            elif word.startswith("key="):
                fields["key_hi"] = fields["key_lo"] = int(word[4:])
            elif word.startswith("#") and verb in ("amend", "cancel"):
                fields.setdefault("target_id", int(word[1:]))
        if numbers:
            fields["price"] = numbers[0]
        reason, _ = self.pair.decide(**fields)
        assert reason == Reason[expected], " ".join(words)
        assert self.pair.trace[-1][1] == int("replayed" in words), " ".join(words)

    def event_fill(self, order: str, price: str, qty: str) -> None:
        self.pair.both("fill", int(order[1:]), int(price), int(qty[1:]))

    def event_ack(self, order: str) -> None:
        self.pair.both("ack", int(order[1:]))

    def event_unknown(self, order: str) -> None:
        self.pair.both("unknown", int(order[1:]))

    def event_done(self, order: str, status: str) -> None:
        self.pair.both("done", int(order[1:]), OrderStatus[status])

    def event_amended(self, order: str, price: str, qty: str) -> None:
        self.pair.both("amended", int(order[1:]), int(price), int(qty[1:]))

    def event_amend_rejected(self, order: str) -> None:
        self.pair.both("amend_rejected", int(order[1:]))

    def event_mode(self, name: str) -> None:
        self.pair.set_operator(PolicyMode[name])

    def event_wait(self, seconds: str) -> None:
        self.pair.now += int(seconds) * S

    def event_pnl(self, who: str, money: str, times: str = "*1") -> None:
        for _ in range(int(times[1:])):
            self.pair.pnl("AB".index(who), int(money))

    def event_market(self, mid: str) -> None:
        fields = {"bid_tick": int(mid) - 1, "ask_tick": int(mid) + 1, "ts_ns": self.pair.now}
        self.pair.set_touch(0, **fields)
        self.pair.market(0)

    def event_kill(self, scope: str) -> None:
        self.pair.kill(KillScope[scope], 0, True)

    def event_reset(self, scope: str) -> None:
        self.pair.kill(KillScope[scope], 0, False)

    def event_held(self, money: str, buy: str, sell: str) -> None:
        """What is held now: money (of all), buy lots, sell lots."""
        twin = self.pair.twin
        lots = [sum(o.held_qty() for o in twin.orders.values() if o.side == s) for s in (0, 1)]
        assert lots == [int(buy), int(sell)]
        assert twin.reserved() == int(money)


@pytest.mark.nojit
@pytest.mark.parametrize(("name", "number", "block"), BLOCKS, ids=lambda part: str(part)[:20])
def test_scenario(name: str, number: int, block: str) -> None:
    header, *lines = block.split("\n")
    table = Table(header.split("#")[0])
    for line in lines:
        if line.strip() and not line.startswith("#"):
            table.line(line)
    assert table.pair.trace
