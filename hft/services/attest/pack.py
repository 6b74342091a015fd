"""The controls of the catalogue that the decision kernel has, and what it has not."""

from hft.services.attest import guards, orders
from hft.services.attest.report import Control

CONTROLS = (
    Control("order quantity", "15c3-5 (c)(1)(ii), FIA, CME", orders.quantity),
    Control("order notional", "15c3-5 (c)(1)(i), FIA, CME", orders.notional),
    Control("price collar", "15c3-5 (c)(1)(ii), FIA, CME", orders.collar),
    Control("reference age", "15c3-5 (c)(1)(ii)", orders.stale_reference),
    Control("position with working orders", "15c3-5 (c)(1)(i), FIA, CME", orders.position),
    Control("credit of the firm", "15c3-5 (c)(1)(i), CME", orders.credit),
    Control("credit of a strategy", "15c3-5 (c)(1)(i), CME", orders.strategy_credit),
    Control("credit of an instrument", "15c3-5 (c)(1)(i), CME", orders.instrument_credit),
    Control("intraday loss", "FIA", guards.loss),
    Control("drawdown", "FIA", guards.drawdown),
    Control("order rate", "FIA, CME", guards.rate),
    Control("amend and cancel rates", "FIA, CME", guards.amends),
    Control("repeated execution", "FIA", guards.repeated),
    Control("duplicate order", "15c3-5 (c)(1)(ii), FIA", orders.duplicate),
    Control("self-trade", "FIA, CME", orders.self_trade),
    Control("restricted instrument", "15c3-5 (c)(2)", orders.restricted),
    Control("permission of an alpha", "15c3-5 (c)(2)", guards.permission),
    Control("market data sanity", "FIA", orders.market_data),
    Control("feed gap", "FIA", orders.feed_gap),
    Control("decision latency", "FIA", guards.slow),
    Control("kill switch", "FIA, CME", guards.kill),
    Control("risk-reducing only", "FIA", guards.reducing),
    Control("cancels pass, and are seen", "FIA", guards.cancels),
    Control("outcome unknown", "15c3-5 (c)(1)(ii)", guards.unknown),
    Control("one leader", "15c3-5 (d)", guards.leader),
    Control("venue disconnected", "FIA, CME", guards.disconnected),
    Control("stop by a person", "FIA, CME", guards.halt),
    Control("all violations, headroom", "15c3-5 (e)", orders.reported),
    Control("one closed reason list", "15c3-5 (e)", orders.counted),
    Control("limits swapped", "15c3-5 (d), (e), CME", guards.swapped),
)

# What the catalogue knows and this gateway does not have: a report that left them out would be one
# of what is there alone.
ABSENT = (
    (
        "order-to-trade ratio",
        "FIA",
        "orders and fills are counted, and nothing is refused for them",
    ),
    (
        "credit of a desk, of an account",
        "15c3-5 (c)(1)(i), CME",
        "limits are of the firm, of a strategy and of an instrument; a gateway has one account",
    ),
    (
        "cancel on disconnect at the venue",
        "FIA, CME",
        "it is the venue's, and the simulated one lets orders rest while our process is dead",
    ),
    ("drop copy", "15c3-5 (c)(2), FIA", "no second process counts exposure from the venue's copy"),
)
