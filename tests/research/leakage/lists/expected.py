"""What Gate A judges wrongly, as measured: leaks that pass and innocents it stops, with why.

The cases were written before anybody ran them, and by nobody who had read Gate A. A name goes from
here when the case is judged rightly, and none is put here to make a change pass.
"""

WEAK = "as weak in numbers as an edge may be"
RARE = "it speaks, or knows, on too few rows to show in a figure over all of them"
DAILY = "one value a day, so as many observations as days"
LEVEL = "little more than the price itself, whose level over all rows is what is known too early"

# leaks that pass
MISSED: dict[str, str] = {
    "an_eighth_of_the_future": WEAK,
    "a_third_of_the_future": WEAK,
    "probability_of_a_higher_close": DAILY,
    "revised_next_day": DAILY,
    "overnight_gap_of_tomorrow": DAILY,
    "next_volatility": "it knows how far the price goes, not where",
    "two_sessions_of_twelve": RARE,
    "three_percent_of_rows": RARE,
    "one_percent_of_rows_in_noise": RARE,
    "only_before_the_close": RARE,
    "day_zscore": LEVEL,
    "sample_zscore": LEVEL,
    "place_in_the_range_of_the_day": LEVEL,
    "target_encoding": "a mean over eight days, an eighth of which is the row's own answer",
    "joined_by_tomorrow": "the volume of tomorrow's row, further ahead than any horizon looked at",
    "leader_of_the_coins": "the mean of four names' next bars, weak in each of them",
    "dividends_to_come": LEVEL,
    "memory_of_dates": "a dozen dates in the code; nothing of the rows is looked at",
}

# innocents that are stopped
STOPPED: dict[str, str] = {
    "price_that_reverts": "a price drawn to par is foretold by its distance at 0.502; 0.5 condemns",
    "stale_index": "an index marked late: where its gap is wide the next mark is certain, honestly",
    "target_rate": "a label by its name: the central bank's target is none",
}
