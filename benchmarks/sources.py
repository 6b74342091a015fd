"""The input files of the measurements, made once under `.bench/data` and reused.

Synthetic files come from `benchmarks.work`; real ones from the folder of recorded markets that
`HFT_TEST_DATA` names; without it only what is made here is measured, and the report says so. Both
sides read the very same files.
"""

import gzip
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zstandard

from benchmarks import work
from benchmarks.environments import BENCH, NotMeasured

DATA = BENCH / "data"
LOOP_COPIES = 40
DBN_RECORDS = 20_000_000
MBO_RECORD = 56  # bytes; DBN's own layout
BINANCE_RAW = Path("binance_raw_btc_20240808") / "usdm_btcusdt_20240808.gz"
SPOT_DAYS = tuple(
    Path("binance_raw_btc_20240808") / f"spot_btcusdt_{day}.gz" for day in (20240808, 20240809)
)
MBO_DAY = Path("databento_dbn_es") / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
BAC_WEEK = Path("lean_us_equity_tick_201310") / "bac"


def recorded(path: Path) -> Path:
    """A file or folder among the recorded markets.

    Raises: NotMeasured, where they are absent.
    """
    given = os.environ.get("HFT_TEST_DATA")
    root = Path(given or "")
    if not given or not (root / path).exists():
        raise NotMeasured(
            f"no {path} among the recorded markets; set HFT_TEST_DATA to their folder"
        )
    return (root / path).resolve()


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """`.bench/data/name`, made first where it is missing; a half-made file never counts."""
    path = DATA / name
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"making-{name}")
        make(aside)
        aside.replace(path)
    return path


def synthetic(rows: int = work.SYNTHETIC_EVENTS) -> Path:
    """The synthetic events as npz."""
    return _made(f"synthetic_{rows}.npz", lambda path: work.save(work.synthetic(rows), path))


def quotes(count: int = work.NAUTILUS_QUOTES) -> Path:
    """The first top-of-book quotes of the synthetic events as npz."""

    def make(path: Path) -> None:
        work.save_quotes(work.top_of_book(work.load(synthetic()), count), path)

    return _made(f"quotes_{count}.npz", make)


def looped(convert: Callable[[Path, Path], None], loop: Callable[[Path, Path], None]) -> Path:
    """The real recording in the peer's rows, `LOOP_COPIES` times in a row.

    `convert` and `loop` are done by the peer's own converter in its environment.
    """
    raw = recorded(BINANCE_RAW)
    once = _made("usdm_btcusdt.npz", lambda path: convert(raw, path))
    return _made(f"usdm_btcusdt_x{LOOP_COPIES}.npz", lambda path: loop(once, path))


def decompressed_binance() -> Path:
    """The raw recording without its compression."""
    raw = recorded(BINANCE_RAW)
    return _made(
        "usdm_btcusdt_20240808.txt", lambda path: _write(path, gzip.decompress(raw.read_bytes()))
    )


def bac_ticks() -> int:
    """Rows of the week's files: every trade and every one-sided quote."""
    rows = 0
    for path in sorted(recorded(BAC_WEEK).glob("*.zip")):
        with zipfile.ZipFile(path) as packed:
            rows += sum(packed.read(name).count(b"\n") for name in packed.namelist())
    return rows


def repeated_mbo(records: int = DBN_RECORDS) -> Path:
    """One day of order-by-order records, repeated; each copy begins a day after the one before."""

    def make(path: Path) -> None:
        raw = zstandard.ZstdDecompressor().stream_reader(recorded(MBO_DAY).open("rb")).read()
        _write(path, repeat_dbn(raw, records))

    return _made(f"mbo_{records}.dbn", make)


MBO = np.dtype(
    {
        "names": ["ts_event", "order_id", "price", "size", "flags", "action", "side", "ts_recv"],
        "formats": ["<u8", "<u8", "<i8", "<u4", "u1", "S1", "S1", "<u8"],
        "offsets": [8, 16, 24, 32, 36, 38, 39, 40],
        "itemsize": MBO_RECORD,
    }
)
NO_PRICE = np.iinfo(np.int64).max
DAY_NS = 86_400_000_000_000


def repeat_dbn(raw: bytes, records: int) -> bytes:
    """A DBN file with `records` mbo records: the file's own, over and over, a day later each time.

    Each copy begins with a record that clears the book, so that no order id is alive twice.
    The prefix is "DBN", a version byte and the length of the metadata that follows.
    """
    start = 8 + int.from_bytes(raw[4:8], "little")
    day = np.frombuffer(raw, np.uint8, offset=start)
    day = day[: len(day) // MBO_RECORD * MBO_RECORD]
    one = np.concatenate([day[:MBO_RECORD], day])
    clear = one[:MBO_RECORD].view(MBO)
    for name, value in {"action": b"R", "side": b"N", "price": NO_PRICE}.items():
        clear[name] = value
    for name in ("order_id", "size", "flags"):
        clear[name] = 0
    whole = np.resize(one, records * MBO_RECORD)
    rows = whole.view(MBO)
    shifts = np.arange(records, dtype=np.uint64) // np.uint64(len(one) // MBO_RECORD)
    for name in ("ts_event", "ts_recv"):
        rows[name] += shifts * np.uint64(DAY_NS)
    return raw[:start] + whole.tobytes()


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
