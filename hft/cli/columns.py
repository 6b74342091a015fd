"""Which columns of a table come first where a terminal has no room for all: one list a table.

A column that a list does not name comes after those it names, in the order of the table. Columns
stand in the order of the table, whatever their rank.
"""

RUNS = (
    "run_id",
    "state",
    "strategies",
    "net",
    "fills",
    "symbols",
    "orders",
    "refused",
    "events",
    "currency",
    "record",
    "started",
)
FRAMES: dict[str, tuple[str, ...]] = {
    "fills": (
        *("ts", "symbol", "side", "price", "lots", "fee", "realized", "liquidity"),
        *("position_lots", "strategy", "mid", "order_id"),
    ),
    "orders": (
        *("order_id", "symbol", "side", "price", "lots", "filled_lots", "status", "sent"),
        *("avg_price", "fees", "ended", "strategy", "acked", "first_fill"),
    ),
    "decisions": (
        *("ts", "symbol", "intent", "side", "price", "lots", "reason", "strategy", "measured"),
        *("limit", "margin", "unit", "seq", "order_type", "tif"),
    ),
    "events": ("ts", "symbol", "order_id", "event", "side", "price", "lots", "fee", "strategy"),
    "equity": (
        *("ts", "symbol", "net", "position_lots", "mid", "realized", "unrealized", "fees"),
        "strategy",
    ),
    "positions": ("ts", "symbol", "position_lots", "price", "realized", "fees", "strategy"),
    "series": ("ts",),
    "logs": ("ts", "text", "value", "strategy", "code"),
    "refusals": ("reason", "count", "share", "margin", "unit", "meaning", "key"),
}
TAPES = ("symbol", "day", "rows", "findings", "tick", "spread_ticks", "gap_p999_s")
FINDINGS = ("symbol", "day", "finding", "count", "first row", "waived", "note")
FORMATS = ("format", "what")
SETTINGS = ("key", "value", "source", "unit")
CALENDAR = (
    *("day", "symbol", "rows", "missing", "longest pause", "crossed", "spread"),
    *("first", "last"),
)
TRAIL = ("seq", "time", "table", "about", "actor", "hash")
OVERRIDES = ("ts", "kind", "alpha_id", "reason", "actor", "signed", "seq", "subject")
ALPHAS = ("alpha", "status", "family", "horizon", "fields")
INVENTORY = (
    *("alpha", "tier", "stage", "weight", "until", "open_findings", "gates", "owner", "validator"),
    "validated",
)
FOUND = ("expression", "score", "sharpe_oos", "passed", "turnover")
CANARIES = ("alpha", "state", "counts", "until", "why", "profile")
