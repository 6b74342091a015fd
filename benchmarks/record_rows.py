"""The rows of a full record: its wall time over that of a digest, and the size of its folder."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.measure import Goal, Row, Series, constant
from benchmarks.worker import Failed

TIMES, MEGABYTES = 4.0, 60.0


def record(bench: Bench) -> Iterator[Row]:
    """The demo's day with all files written and sealed when the call returns."""
    title = "the demo's day: wall time of a full record over that of its digest alone"
    times = Row("record-full", title, "times", goal=Goal(TIMES, at_least=False), judged="ours")
    size = Row("record-size", "the same: folder of the full record", "MB")
    size.goal, size.judged = Goal(MEGABYTES, at_least=False), "ours"
    try:
        replies = bench.alone("record_day")
    except Failed as error:
        times.reason = size.reason = str(error)
        yield from (times, size)
        return
    times.ours = Series(tuple(reply["full_s"] / reply["digest_s"] for reply in replies))
    size.ours = Series(tuple(reply["megabytes"] for reply in replies))
    for level in ("digest_s", "full_s"):
        times.facts[level.replace("_s", ", s")] = round(
            Series(tuple(reply[level] for reply in replies)).median, 3
        )
    times.facts["digests"] = (
        "the same" if all(reply["same"] for reply in replies) else "NOT the same"
    )
    times.facts["digest of the run"] = constant(replies, "digest")
    size.facts["steps"] = constant(replies, "steps")
    size.facts["journal, MB"] = round(replies[0]["journal"], 1)
    yield from (times, size)
