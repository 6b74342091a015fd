"""The strategy file that is edited before each start, and the command that replays it."""

from benchmarks.environments import BENCH
from benchmarks.ours import RUNS, make_tape
from benchmarks.startup import hft_command

STRATEGY_TEXT = """
from hft import BUY, SELL, strategy


@strategy(every="100ms", params=dict(lots=1))
def edited(view, order, p, s):
    if view.book_valid:
        order.quote(BUY, view.bid_tick - {edit}, p["lots"])
        order.quote(SELL, view.ask_tick + {edit}, p["lots"])
"""


def edit_command(edit: int) -> list[str]:
    """Write the strategy file anew with another number and say which command replays it.

    The tape is short, so that the command's wall time is the way to the first event.
    """
    folder = BENCH / "edit"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "edited.py"
    file.write_text(STRATEGY_TEXT.format(edit=edit + 1))
    tape = make_tape(10_000)["path"]
    command = [*hft_command(), "replay", "run", tape, "--strategy", str(file)]
    return [*command, "--record", "digest", "--out", str(RUNS)]
