# mypy: ignore-errors
"""Quoting on every tenth quote on NautilusTrader; runs in that peer's environment.

The quotes are the top of the book of the same events; building them as the peer's objects and
building its engine are outside the clock. `every=0` sends no orders.
"""

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from benchmarks import work
from benchmarks.worker import serve, stopwatch, timed

INSTRUMENT = TestInstrumentProvider.btcusdt_perp_binance()
LOTS = Quantity(1, INSTRUMENT.size_precision)
_loaded: dict[str, list[QuoteTick]] = {}


class EveryNth(StrategyConfig, frozen=True):
    every: int = 10


class Quoting(Strategy):
    """Withdraw everything and quote both sides at the touch, at every n-th quote."""

    def __init__(self, config: EveryNth) -> None:
        super().__init__(config)
        self.seen = 0
        self.orders = 0
        self.fills = 0

    def on_start(self) -> None:
        self.subscribe_quote_ticks(INSTRUMENT.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.seen += 1
        if not self.config.every or self.seen % self.config.every:
            return
        self.cancel_all_orders(INSTRUMENT.id)
        for side, price in ((OrderSide.BUY, tick.bid_price), (OrderSide.SELL, tick.ask_price)):
            self.submit_order(self.order_factory.limit(INSTRUMENT.id, side, LOTS, price))
            self.orders += 1

    def on_order_filled(self, event) -> None:
        self.fills += 1


def _ticks(path: str) -> list[QuoteTick]:
    if path not in _loaded:
        quotes = work.load_quotes(path)
        columns = [column.tolist() for column in quotes]
        _loaded[path] = [
            QuoteTick(
                INSTRUMENT.id,
                Price(bid * work.TICK, INSTRUMENT.price_precision),
                Price(ask * work.TICK, INSTRUMENT.price_precision),
                Quantity(bid_qty, INSTRUMENT.size_precision),
                Quantity(ask_qty, INSTRUMENT.size_precision),
                exch_ts,
                exch_ts + work.FEED_LATENCY_NS,
            )
            for exch_ts, bid, bid_qty, ask, ask_qty in zip(*columns, strict=True)
        ]
    return _loaded[path]


def _engine(ticks: list[QuoteTick], every: int) -> tuple[BacktestEngine, Quoting]:
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(trader_id=TraderId("BENCH-001"), logging=quiet))
    money = [Money(1_000_000, USDT)]
    engine.add_venue(Venue("BINANCE"), OmsType.NETTING, AccountType.MARGIN, money)
    engine.add_instrument(INSTRUMENT)
    engine.add_data(ticks)
    strategy = Quoting(EveryNth(every=every))
    engine.add_strategy(strategy)
    return engine, strategy


def quote_every(path: str, every: int, count: int, at_least_s: float = 1.0) -> dict[str, object]:
    """One measurement over the first `count` quotes of the file."""
    ticks = _ticks(path)[:count]

    def once() -> tuple[float, tuple[int, int]]:
        engine, strategy = _engine(ticks, every)
        seconds, _ = stopwatch(engine.run)
        end = (strategy.orders, strategy.fills)
        engine.dispose()
        return seconds, end

    seconds, runs, (orders, fills) = timed(once, at_least_s)
    return {
        "seconds": seconds,
        "runs": runs,
        "events": len(ticks),
        "orders": orders,
        "fills": fills,
    }


if __name__ == "__main__":
    serve({"quote_every": quote_every})
