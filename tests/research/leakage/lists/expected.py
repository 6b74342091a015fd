"""What Gate A judges wrongly, as measured: leaks that pass and innocents it stops, with why.

The cases were written before anybody ran them, and by nobody who had read Gate A. A name goes from
here when the case is judged rightly, and none is put here to make a change pass.
"""

WEAK = "as weak in numbers as an edge may be"
LEVEL = "adjusted for payments after the rows end: nothing in the rows tells of them"

# leaks that pass
MISSED: dict[str, str] = {
    "an_eighth_of_the_future": WEAK,
    "a_third_of_the_future": WEAK,
    "dividends_to_come": LEVEL,
    "memory_of_dates": "a dozen dates in the code; nothing of the rows is looked at",
}

# innocents that are stopped
STOPPED: dict[str, str] = {}
