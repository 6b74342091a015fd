"""What to do about a finding of `verify`: a sentence for each code."""

GIT = "put it back from git or a copy, and ask who changed it"
JOURNAL = (
    "take the rows from the anchor remote (`hft audit restore`), or the file from a copy; if "
    "nobody else has them, roll back what is live"
)
DATABASE = "the journal is what counts: drop the tables `audit.*` and run `hft audit drain`"
MOVED = "put it back from git, or roll back (`hft alpha canary rollback ID`) and promote again"
LEDGER = "restore `research/ledger` from git, or from the clone that wrote it"

CURES = {
    **dict.fromkeys(("JOURNAL_ROW_CHANGED", "JOURNAL_ROWS_MISSING", "JOURNAL_FORKED"), JOURNAL),
    **dict.fromkeys(("JOURNAL_BROKEN", "JOURNAL_TORN", "JOURNAL_REWRITTEN"), JOURNAL),
    **dict.fromkeys(("JOURNAL_CUT", "JOURNAL_ABSENT"), JOURNAL),
    **{f"DATABASE_ROW_{what}": DATABASE for what in ("CHANGED", "MISSING", "TWICE", "UNKNOWN")},
    "ANCHOR_DOUBTFUL": "compare the rows with the anchor by hand; protect the remote or remove it",
    "UNAUDITED_PROMOTION": "remove the file; what was approved is approved again",
    "UNSIGNED_PROMOTION": GIT,
    "UNREADABLE_PROMOTION": GIT,
    "PROMOTION_OUT_OF_PLACE": "remove the file; only `approve` and `canary` put files there",
    "BAD_SIGNATURE": JOURNAL,
    "CHANGE_UNFOUNDED": JOURNAL,
    "COUNTERSIGNATURE_MISSING": JOURNAL,
    "ARTIFACT_CHANGED": GIT,
    "ARTIFACT_MISSING": GIT,
    "KEYS_UNREADABLE": GIT,
    "KEYS_UNSIGNED": "`hft audit keys restore`, then ask for the change with `hft audit keys add`",
    "KEYS_CUT": "put the file of changes back from git",
    "LOOKED_AT_CHANGED": "put the file back from a copy; until then nothing is judged here",
    **{f"LIVE_{part}_CHANGED": MOVED for part in ("CODE", "THRESHOLDS", "LIMITS", "SIMULATOR")},
}


def cure(code: str) -> str:
    """What to do about a finding."""
    return CURES.get(code) or (LEDGER if code.startswith("LEDGER_") else GIT)
