"""Entries that are judged wrongly, and why.

The list was written by somebody who had read neither gates nor tests, and was put before the gate
once, after it had been mended by the fourth list: leaks stopped as leaks 22 of 32 (code 15 of 16,
data 7 of 16), innocents passed 31 of 32. Nothing was mended by it, so this is a measure.
"""

MISJUDGED = {
    "support_zones": "an answer key below 16 kB in the code: not promised",
    "busted_prints": "means something with the price's last step only, on one row in forty",
    "fair_of_peers": "weights fitted on a month of rows: as weak as an edge",
    "members_later": "four quarters of eight names",
    "deleted_quotes": "holes before falls, a third of them by chance",
    "wallet_labels": "labels found out by the fall, among as many honest ones",
    "reanalysis": "a forecast that is too good: the weather is not among the prices",
    "restated_eps": "a quarter of a year ahead, where the rows are too few",
    "backfilled": "a likeness of 0.35 in three quarters of the rows: as weak as an edge",
    "closing_weights": "a close that only three columns together tell",
    "after_prints": "two rows a stamp: what moves the second one stands on the first",
}
