"""What a run says of the liquidity it took and of queues that could not be exact."""

from collections.abc import Callable
from pathlib import Path

import pytest

import hft
from hft.reports.cards import text_card
from hft.runs.result import Run
from hft.tape.dataset import Tapes


@hft.strategy(every="1s")
def take(view, order, p, s):  # type: ignore[no-untyped-def]
    """Buy and sell what the touch shows, in turn."""
    if view.book_valid:
        side = 0 if view.position <= 0 else 1
        tick = view.ask_tick if side == 0 else view.bid_tick
        order.new(side, tick, 50, hft.IOC)


@pytest.fixture(scope="module")
def run(
    market: Callable[[str], Tapes], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Run]:
    out: Path = tmp_path_factory.mktemp("taken")

    def made(kind: str = "l2", **venue: object) -> Run:
        model = hft.Venue("1ms", **venue)  # type: ignore[arg-type]
        return hft.replay(market(kind), take, venue=model, limits="off", out=out)

    return made


@pytest.mark.parametrize("kind", ["l2", "l3"])
def test_a_run_says_how_much_it_took_beside_the_markets_own_takers(
    kind: str, run: Callable[..., Run], market: Callable[[str], Tapes]
) -> None:
    one = run(kind)
    printed = int(market(kind).trades().collect()["lots"].sum())
    taken = int(one.fills.filter(one.fills["liquidity"] == "TAKER")["lots"].sum())
    assert one.totals["markets"][0]["printed_lots"] == printed > 0
    assert one.totals["markets"][0]["taken_lots"] == taken > 0
    assert one.metrics.get_value("taken_share") == taken / printed
    assert "of the market's own takers' lots" in text_card(one.view())


def test_by_the_former_rule_more_is_taken_and_the_card_says_what_it_assumes(
    run: Callable[..., Run],
) -> None:
    stays, restated = run(), run(taken="restated")
    assert restated.metrics.get_value("taken_lots") >= stays.metrics.get_value("taken_lots")
    assert "as if refilled at once" in text_card(restated.view())
    assert restated.config["venue"]["taken"] == "restated"


def test_where_the_tape_has_no_order_ids_an_exact_queue_is_said_to_be_none(
    run: Callable[..., Run],
) -> None:
    guessed, exact = run("l2", queue="fifo"), run("l3", queue="fifo")
    assert not guessed.totals["markets"][0]["exact_queue"]
    assert "risk averse" in guessed.mode["queue"]
    assert exact.totals["markets"][0]["exact_queue"]
    assert "risk averse" not in exact.mode["queue"]
    assert guessed.fills.equals(run("l2").fills)
