"""Every metric as a row: its name, kind, unit, labels, what it says, and where it is there.

This one table makes the text that Prometheus reads, the table of docs/reference/metrics.md, and the
check of dashboards and alert rules. Names are public (contract 3.11, 3.12 and 4.5).
"""

from dataclasses import dataclass

NS_BOUNDS = (1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000)
US_BOUNDS = (
    *(10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000),
    *(1_000_000, 5_000_000, 10_000_000, 60_000_000),
)
SERVICE, PAPER, RUN, RECORDER = "service", "paper", "run", "recorder"
GATEWAYS = (SERVICE, PAPER)
ALL = (SERVICE, PAPER, RUN)


@dataclass(frozen=True)
class Metric:
    """One metric; `of` says whose it is, `bounds` are the upper ends of a histogram's buckets."""

    name: str
    kind: str  # counter, gauge or histogram
    unit: str
    of: tuple[str, ...]
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[int, ...] = ()


def _counter(name: str, unit: str, of: tuple[str, ...], meaning: str, *labels: str) -> Metric:
    return Metric(name, "counter", unit, of, meaning, labels)


def _gauge(name: str, unit: str, of: tuple[str, ...], meaning: str, *labels: str) -> Metric:
    return Metric(name, "gauge", unit, of, meaning, labels)


def _histogram(name: str, of: tuple[str, ...], meaning: str) -> Metric:
    bounds = NS_BOUNDS if name.endswith("_ns") else US_BOUNDS
    return Metric(name, "histogram", name.rpartition("_")[2], of, meaning, (), bounds)


_OWN = ("strategy", "symbol")
_ROWS = (
    _histogram(
        "gateway_dispatch_latency_ns",
        ALL,
        "From a decision until its command is handed to the adapter, the sync of its record "
        "included; on paper from the look that decided it until it may leave; in a run, on the "
        "tape's clock, until it reaches the venue",
    ),
    _counter("gateway_reject_total", "intents", ALL, "Intents refused, by reason", "reason"),
    _counter("gateway_dedup_hits_total", "intents", ALL, "Intents answered from their key"),
    _gauge("gateway_dedup_unknown", "keys", ALL, "Keys whose outcome nobody knows yet"),
    _gauge("gateway_intent_channel_depth", "intents", (SERVICE,), "Intents that wait"),
    _gauge("gateway_policy_mode", "mode", ALL, "0 normal, 1 degrade, 2 halt"),
    _gauge("gateway_leader", "bool", ALL, "1 while it holds the lease"),
    _gauge("gateway_fence", "number", ALL, "Fence of the lease"),
    _gauge(
        "gateway_exposure_notional_scaled",
        "currency x 10 000",
        ALL,
        "Notional held and reserved",
        *_OWN,
    ),
    _gauge("gateway_exposure_net_qty", "lots", ALL, "Net position of the exposure store", *_OWN),
    _gauge("gateway_breaker_tripped", "scopes", ALL, "Scopes whose breaker is tripped", "cause"),
    _gauge("stormguard_state", "state", ALL, "The worst: 0 normal, 1 warm, 2 storm, 3 halt"),
    _counter("gateway_latch_resets_total", "resets", ALL, "Trips that an operator cleared"),
    _histogram(
        "gateway_risk_check_latency_ns",
        (SERVICE,),
        "All seven steps of a decision: a batch's time over its intents",
    ),
    _histogram(
        "gateway_orderbook_latency_us",
        GATEWAYS,
        "From when a touch came until it was applied; on paper, of each look at the tape, how "
        "late its oldest row was applied at most",
    ),
    _histogram(
        "gateway_order_fill_latency_us",
        ALL,
        "From the decision of an order until we hear its first fill; on paper and in a run on "
        "the tape's clock",
    ),
    _counter("gateway_orderbook_updates_total", "rows", ALL, "Rows of the market that were seen"),
    _counter("gateway_orders_submitted_total", "orders", ALL, "Orders that were approved"),
    _counter("gateway_orders_filled_total", "orders", ALL, "Orders that had a fill"),
    _counter("gateway_risk_checks_total", "intents", ALL, "Intents that were checked"),
    _counter("gateway_signals_generated_total", "intents", ALL, "Intents of strategies"),
    _gauge("gateway_active_positions", "positions", ALL, "Positions that are not flat"),
    _gauge("gateway_total_pnl", "currency", ALL, "Realised and marked profit, less fees"),
    _gauge("gateway_strategy_pnl", "currency", ALL, "The same of a strategy", "strategy"),
    _gauge("gateway_fill_ratio", "ratio", ALL, "Orders that had a fill, of those sent", "strategy"),
    _gauge(
        "gateway_component_up",
        "bool",
        (*GATEWAYS, RECORDER),
        "1 while it works: gateway (shows itself), venue (connected), journal (not failed), "
        "recorder (records)",
        "component",
    ),
    _counter("feed_callback_dropped_total", "callbacks", (SERVICE,), "Callbacks without a place"),
    _gauge("wal_mode", "mode", (RECORDER,), "0 direct, 1 to disk first"),
    _gauge("wal_backlog_files", "segments", (RECORDER,), "Segments that wait for the database"),
    _gauge("wal_backlog_bytes", "bytes", (RECORDER,), "What they hold"),
    _gauge("wal_replay_lag_seconds", "seconds", (RECORDER,), "Age of the oldest that waits"),
    _counter("wal_replay_throughput_rows_total", "rows", (RECORDER,), "Rows that were loaded"),
    _counter("wal_replay_errors_total", "errors", (RECORDER,), "Loads that failed", "type"),
    _gauge("wal_drain_eta_seconds", "seconds", (RECORDER,), "How long the rest takes, if known"),
    _gauge("wal_quarantined_files", "segments", (RECORDER,), "Segments that cannot be read"),
    _gauge("disk_pressure_level", "level", (RECORDER,), "0 OK, 1 WARN, 2 CRITICAL, 3 HALT"),
    _counter("wal_data_loss_total", "rows", (RECORDER,), "Rows that were dropped", "table"),
    _counter("wal_torn_tail_total", "tails", (RECORDER,), "Ends that a crash tore and were cut"),
)
CATALOGUE: dict[str, Metric] = {one.name: one for one in _ROWS}


def as_markdown() -> str:
    """The table of docs/reference/metrics.md."""
    lines = ["| Metric | Kind | Unit | Of | Meaning |", "|---|---|---|---|---|"]
    for one in CATALOGUE.values():
        labels = "{" + ",".join(one.labels) + "}" if one.labels else ""
        cells = (f"`{one.name}{labels}`", one.kind, one.unit, ", ".join(one.of), one.meaning)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
