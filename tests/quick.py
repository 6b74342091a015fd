"""Which tests `make quick` runs, and why: the loop while one works, in under a minute on two cores.

They run in plain Python, so that an edit of a kernel costs no compilation: every test marked
`nojit`, and whole files that are quick without the compiler and guard what nothing else here does.
`python tests/quick.py` prints the files; `--engine` answers whether the engine is compiled.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# File -> what would go unseen without it.
ALSO: dict[str, str] = {
    "tests/statistics/test_sharpe.py": "the figure every gate reads",
    "tests/research/test_backtest.py": "costs and positions of a backtest",
    "tests/governance/test_profile.py": "thresholds as files",
    "tests/governance/test_verdict.py": "a gate's answer from its checks",
    "tests/audit/test_journal.py": "the chain of the audit",
    "tests/cli/test_replay_check.py": "what a regression replay answers when something changed",
    "tests/feeds/test_base.py": "findings, clock repair, days",
    "tests/feeds/test_frame.py": "the user's own frames",
    "tests/gateway/test_gateway_limits.py": "limits as files and as numbers",
    "tests/gateway/test_gateway_machine.py": "the gateway against its twin, statefully",
    "tests/reports/test_performance.py": "drawdown, Sharpe and equity of a run",
    "tests/runs/test_result.py": "frames and figures of a run folder",
    "tests/runs/test_verify.py": "a run replayed from its manifest",
    "tests/storage/test_chain.py": "canonical text and hash chains",
    "tests/tape/test_writer.py": "the seal of a tape",
    "tests/test_layers.py": "imports go down",
    "tests/test_tidy.py": "sizes, names, what is banned below the line",
}

# Part of a test's name -> why it is left to `make test`, where it runs in full.
LEFT_OUT: dict[str, str] = {
    "test_room_for_answers.py::test_nothing_at_the_venue": "filled rings hold the same bound here",
    "test_writer.py::test_every_byte_of_the_frame": "any flipped bit is noticed here",
    "test_chain.py::test_garbage_ends": "a fuzz; edited, cut and reordered rows are found here",
    "test_step_block.py::test_a_block_with_a_good_checksum": "a fuzz; round trips are here",
    "test_step_block.py::test_packed_columns_that_are": "a fuzz; round trips are here",
    "test_open_hours.py::test_each_market_keeps": "every market's hours at once; one by one here",
    "test_kernel_cache.py::test_every_compiled_kernel": "a search of all sources",
    "test_dispatch.py::test_the_queue_is_its_twin": "ten seconds; the venue's duels pass the queue",
    "test_the_twin_finds_a_planted_fault": "the twin's own power, not a fault of the engine",
    "test_a_sample_of_random_markets_reaches_all": "what markets are drawn for, not the engine",
    "test_the_duels_reach_every_kind_of_answer": "what the duels reach, not whether they agree",
    "test_venue_twin.py::test_whole_fills": "capped fills run the same engine",
    "test_venue_twin.py::test_a_venue_where_every_amend": "one of four duels is enough here",
    "known_early[seed=0-l3-research]": "two of four markets are enough here",
    "known_early[seed=0-l2-off]": "two of four markets are enough here",
}


def paths() -> list[str]:
    """Every file of which at least one test belongs to the quick loop."""
    marked = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if "nojit" in path.read_text(encoding="utf-8")
    ]
    return sorted({*marked, *ALSO})


def belongs(name: str, marked: bool) -> bool:
    """Is a test, by its name and whether it is marked `nojit`, part of the quick loop?"""
    if any(part in name for part in LEFT_OUT):
        return False
    return marked or name.split("::")[0] in ALSO


def engine_is_compiled() -> bool:
    """Does the cache hold the engine of these very sources and flags?"""
    from hft.core.jit import is_cached

    return is_cached("replay.compiled._advance_at")


def main() -> int:
    if sys.argv[1:] == ["--engine"]:
        return 0 if engine_is_compiled() else 1
    print(*paths())
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    raise SystemExit(main())
