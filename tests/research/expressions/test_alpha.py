"""An expression as an alpha: it fits the protocol, and both of its ways agree to the bit."""

import numpy as np
import polars as pl

from hft.research.alphas import protocol, signals
from hft.research.data.load import load
from hft.research.expressions.alpha import ExpressionAlpha, expression_alpha
from hft.research.expressions.evaluate import evaluate
from hft.research.expressions.expression import parse, standardised


def frame(rows: int = 300) -> pl.DataFrame:
    rng = np.random.Generator(np.random.Philox(2))
    start = np.datetime64("2024-01-02T14:30:00", "ns")
    return pl.DataFrame(
        {
            "ts": start + np.arange(rows) * np.timedelta64(60, "s"),
            "mid": 400 + np.cumsum(rng.normal(size=rows)) * 0.01,
            "ofi": rng.normal(size=rows),
            "vol": rng.integers(0, 50, rows).astype(float),
        }
    )


def made() -> type[ExpressionAlpha]:
    return expression_alpha(
        "ts_mean(ofi, 5) * rank(vol)",
        "flow_by_volume",
        hypothesis="Order flow on large volume goes on.",
        owner="ana",
        family="ofi",
        horizon_ns=60_000_000_000,
    )


def test_it_is_an_alpha_with_a_whole_manifest() -> None:
    alpha = made()
    assert protocol.complaints(alpha) == [] and protocol.fits(alpha)
    assert alpha.manifest.problems() == []
    assert alpha.manifest.data_fields == ("ofi", "vol")
    assert alpha.manifest.complexity == "O(N)"
    assert alpha.expression.canonical == "mul(rank(vol),ts_mean(ofi,5))"


def test_batch_and_stream_agree_to_the_bit() -> None:
    data = load(frame())
    batch, stream = (signals.evaluate(made(), data, batch=way) for way in (True, False))
    assert batch.tobytes() == stream.tobytes()
    columns = {name: data.field(name) for name in ("ofi", "vol")}
    wanted = evaluate([standardised(parse("ts_mean(ofi, 5) * rank(vol)"))], columns)[0]
    assert batch.tobytes() == wanted.tobytes()


def test_reset_forgets_everything() -> None:
    alpha = made()()
    assert alpha.get_signal() == 0.0
    first = [alpha.update(ofi=x, vol=x) for x in (1.0, 5.0, 2.0)]
    assert alpha.get_signal() == first[-1] != 0.0
    alpha.reset()
    assert alpha.get_signal() == 0.0
    assert [alpha.update(ofi=x, vol=x) for x in (1.0, 5.0, 2.0)] == first


def test_a_zscore_is_taken_as_it_is() -> None:
    one = parse("zscore(ts_delta(ofi, 3))")
    assert standardised(one) == one
    mirrored = parse("-zscore(ts_delta(ofi, 3))")
    assert standardised(mirrored) == mirrored
    assert standardised(parse("ofi")).canonical == "zscore(ofi)"
