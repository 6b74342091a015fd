"""The recorded Binance markets by name, and their messages by json and nothing of ours."""

import json
from decimal import Decimal

from hft.core.instruments import Instrument
from hft.feeds import binance
from hft.feeds.base import DecodeOptions

USDM = Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001"), currency="USDT")
COINM = Instrument(
    "BTCUSD_PERP", Decimal("0.1"), Decimal(1), Decimal(100), currency="BTC", kind="inverse"
)
SPOT = Instrument("BTCUSDT", Decimal("0.01"), Decimal("0.00001"), currency="USDT")
INSTRUMENTS = {
    "binance-usdm:BTCUSDT": USDM,
    "binance-coinm:BTCUSD_PERP": COINM,
    "binance-spot:BTCUSDT": SPOT,
}
FOLDER = "binance_raw_btc_20240808"
RECORDINGS = {
    "usdm": ("binance-usdm", USDM, ["usdm_btcusdt_20240808.gz"]),
    "coinm": (
        "binance-coinm",
        COINM,
        ["cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz"],
    ),
    "spot": ("binance-spot", SPOT, ["spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"]),
}
NS = 1_000_000


def decode(paths, name, **options):
    return binance.decode(paths, DecodeOptions(name, instruments=INSTRUMENTS, **options))


def messages_of(lines):
    """(receive ns, stream, fields) of each line, by json and nothing of ours."""
    for line in lines:
        stamp, text = line.split(b" ", 1)
        message = json.loads(text)
        yield (
            int(stamp) * 10 ** (19 - len(stamp)),
            message.get("stream", ""),
            message.get("data", message),
        )
