"""A small whole recording of every format, made by hand: what tests damage, and how files look."""

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from hft.feeds import databento_records as dbn
from hft.feeds import hftbacktest_npz as npz

SECOND = 1_000_000_000
START_NS = 1_723_161_250_000_000_000
START_MS = START_NS // 1_000_000
Events = list[dict[str, Any]]


def header(schema: int, version: int = 1, ts_out: int = 0) -> bytes:
    symbol_bytes = 22 if version == 1 else 71
    body = b"TEST.DATA".ljust(16, b"\0") + struct.pack("<HQQQ", schema, 0, 0, 0)
    body += struct.pack("<Q", 0) if version == 1 else b""
    body += bytes([1, 0, ts_out])
    body += b"" if version == 1 else struct.pack("<H", symbol_bytes)
    body = body.ljust(100, b"\0") + struct.pack("<I", 0)

    def text(value: str) -> bytes:
        return value.encode().ljust(symbol_bytes, b"\0")

    body += struct.pack("<I", 1) + text("ESH4") + struct.pack("<II", 0, 0)
    body += struct.pack("<I", 1) + text("ESH4") + struct.pack("<III", 1, 20231225, 20231226)
    body += text("17")
    return b"DBN" + bytes([version]) + struct.pack("<I", len(body)) + body


def mbo(*events: tuple, first_ts: int = SECOND) -> np.ndarray:
    """(action, side, price, size, order id, flags) events, one a millisecond."""
    out = np.zeros(len(events), dbn.MBO_RECORD)
    for i, (action, side, price, size, order_id, flags) in enumerate(events):
        ts = first_ts + i * 1_000_000
        row = {
            "length": 14,
            "rtype": 0xA0,
            "instrument_id": 17,
            "ts_event": ts,
            "ts_recv": ts + 500,
        }
        row |= {"order_id": order_id, "price": int(Decimal(str(price)) * SECOND), "size": size}
        row |= {"flags": flags, "action": ord(action), "side": ord(side)}
        for name, value in row.items():
            out[i][name] = value
    return out


@dataclass(frozen=True)
class Recording:
    """A file's name, its bytes without compression, and how they are packed into the file."""

    format: str
    name: str
    content: bytes
    pack: Callable[[bytes], bytes] = bytes


def recordings(draw: random.Random) -> list[Recording]:
    """One recording or more of each format that reads files, with numbers from `draw`."""
    quotes = [_quote(draw, n) for n in range(12)]
    return [
        Recording("csv", "own.csv", _csv(quotes)),
        Recording("csv", "orders.csv", _orders(draw)),
        Recording("parquet", "own.parquet", _parquet(quotes)),
        Recording("arrow", "own.feather", _arrow(quotes)),
        *(_binance(draw, market) for market in ("usdm", "coinm", "spot")),
        Recording("databento", "day.mbo.dbn", header(0) + _mbo(draw).tobytes()),
        Recording("databento", "day.mbp-1.dbn", header(1) + _mbp(draw, 1).tobytes()),
        Recording("databento", "day.mbp-10.dbn", header(2) + _mbp(draw, 10).tobytes()),
        Recording("databento", "day.trades.dbn", header(4) + _mbp(draw, 0).tobytes()),
        Recording("lobster", "AAPL_2012-06-21_34200000_37800000_message_50.csv", _lobster(draw)),
        Recording("hftbacktest", "x_20240101.npz", _npz(draw, structured=True)),
        Recording("hftbacktest", "y_20240101.npz", _npz(draw, structured=False)),
        Recording("lean", "20131007_quote.zip", _lean_quotes(draw), _zipped("quote")),
        Recording("lean", "20131007_trade.zip", _lean_trades(draw), _zipped("trade")),
    ]


def _quote(draw: random.Random, n: int) -> dict[str, Any]:
    bid = 100.0 + draw.randint(-4, 4) / 4
    sizes = {"bid_qty": draw.randint(1, 9), "ask_qty": draw.randint(1, 9)}
    return {"ts": START_NS + n * SECOND, "bid": bid, "ask": bid + 0.25} | sizes


def _csv(rows: Events) -> bytes:
    return pl.DataFrame(rows).write_csv().encode()


def _parquet(rows: Events) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(rows).write_parquet(file)
    return file.getvalue()


def _arrow(rows: Events) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(rows).write_ipc(file)
    return file.getvalue()


def _orders(draw: random.Random) -> bytes:
    rows = ["ts,kind,side,price,qty,order_id"]
    for n in range(20):
        kind = draw.choice(("add", "add", "cancel", "modify", "execute"))
        side, price = draw.choice((("buy", 99), ("sell", 101)))
        order_id = draw.randint(1, 6)
        rows.append(
            f"{START_NS + n * SECOND},{kind},{side},{price},{draw.randint(1, 9)},{order_id}"
        )
    return "\n".join(rows).encode()


def _binance(draw: random.Random, market: str) -> Recording:
    lines, last = [], 10
    symbol = {"usdm": "BTCUSDT", "coinm": "BTCUSD_PERP", "spot": "BTCUSDT"}[market]
    for n in range(12):
        times = {"E": START_MS + n} | ({} if market == "spot" else {"T": START_MS + n})
        local = START_NS + (n + 1) * 1_000_000
        if n == 2:
            book = {"bids": [["100.0", "5.000"]], "asks": [["100.3", "4.000"]]}
            lines.append(f"{local} {json.dumps({'lastUpdateId': last} | times | book)}")
            continue
        data = times | {"s": symbol} | ({"ps": "BTCUSD"} if market == "coinm" else {})
        price, qty = f"{100 + draw.randint(-3, 3) / 10:.1f}", f"{draw.randint(0, 5)}.000"
        if draw.random() < 0.3:
            data |= {"e": "trade", "p": price, "q": "1.000", "T": START_MS + n, "m": True}
            data |= {"X": "MARKET"}
        else:
            ids = {"U": last + 1, "u": last + 3} | ({} if market == "spot" else {"pu": last})
            data |= ids | {"e": "depthUpdate", "b": [[price, qty]], "a": []}
            last += 3
        stream = f"{symbol.lower()}@{'trade' if data['e'] == 'trade' else 'depth@0ms'}"
        lines.append(f"{local} {json.dumps({'stream': stream, 'data': data})}")
    return Recording(
        f"binance-{market}", f"{market}.txt", "".join(f"{x}\n" for x in lines).encode()
    )


def _mbo(draw: random.Random) -> np.ndarray:
    events: list[tuple[Any, ...]] = [("R", "N", 0, 0, 0, 8)]
    for _ in range(20):
        side, price = draw.choice((("B", 4700.0), ("A", 4700.25)))
        action = draw.choice("AAACMTF")
        events.append((action, side, price, draw.randint(1, 9), draw.randint(1, 6), 128))
    return mbo(*events)


def _mbp(draw: random.Random, depth: int) -> np.ndarray:
    schema = {0: dbn.TRADES, 1: dbn.MBP_1, 10: dbn.MBP_10}[depth]
    rows = np.zeros(12, dbn.RECORDS[schema])
    rows["length"], rows["rtype"] = rows.dtype.itemsize // 4, dbn.RTYPES[schema]
    rows["instrument_id"], rows["flags"], rows["size"] = 17, 128, 1
    rows["ts_event"] = rows["ts_recv"] = SECOND + np.arange(12)
    for row in rows:
        row["action"], row["side"] = (
            ord(draw.choice("TAC") if depth else "T"),
            ord(draw.choice("AB")),
        )
        row["price"] = (4700 + draw.randint(-2, 2)) * SECOND
        if depth:
            levels = row["levels"]
            levels["bid_px"] = (4700 - np.arange(depth) - draw.randint(0, 2)) * SECOND
            levels["ask_px"] = (4701 + np.arange(depth) + draw.randint(0, 2)) * SECOND
            levels["bid_sz"] = levels["ask_sz"] = draw.randint(1, 9)
    return rows


def _lobster(draw: random.Random) -> bytes:
    rows = [
        f"{34200 + n / 10:.9f},{draw.choice((1, 1, 1, 2, 3, 4, 5))},{draw.randint(1, 8)},"
        f"{draw.randint(1, 9)},{draw.choice((5850000, 5850100))},{draw.choice((1, -1))}"
        for n in range(20)
    ]
    return "".join(f"{row}\n" for row in rows).encode()


def _npz(draw: random.Random, *, structured: bool) -> bytes:
    data = np.zeros(12, npz.EVENT)
    for n, row in enumerate(data):
        side = draw.choice((npz.BUY, npz.SELL))
        code = np.uint64(draw.choice((1, 1, 2, 3, 4, 10, 11, 12)))
        row["ev"] = npz.EXCH | npz.LOCAL | side | code
        row["exch_ts"] = START_NS + n * 1_000_000
        row["local_ts"] = row["exch_ts"] + 500_000
        row["px"], row["qty"] = 100 + draw.randint(-2, 2), draw.randint(1, 5)
        row["order_id"] = draw.randint(1, 5)
    if not structured:
        sides = np.where(data["ev"] & npz.BUY, 1.0, -1.0)
        codes = np.minimum(data["ev"] & np.uint64(0xFF), np.uint64(4))
        times = data["exch_ts"] / 1_000, data["local_ts"] / 1_000
        data = np.stack([codes, *times, sides, data["px"], data["qty"]], axis=1).astype(np.float64)
    file = io.BytesIO()
    np.savez(file, data=data)
    return file.getvalue()


def _lean_quotes(draw: random.Random) -> bytes:
    rows = []
    for n in range(12):
        bid, ask = draw.choice((("140000,100", "0,0"), ("0,0", "140100,200")))
        rows.append(f"{36_000_000 + n},{bid},{ask},{draw.choice('QP')},1,0")
    return "\n".join(rows).encode()


def _lean_trades(draw: random.Random) -> bytes:
    price = (140000, 140100)
    rows = [f"{36_000_000 + n},{draw.choice(price)},{draw.randint(1, 9)},Q,1,0" for n in range(12)]
    return "\n".join(rows).encode()


def _zipped(kind: str) -> Callable[[bytes], bytes]:
    def pack(content: bytes) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"20131007_bac_{kind.title()}_Tick.csv", content)
        return file.getvalue()

    return pack
