from xml.etree.ElementTree import fromstring

import pytest

from hft.research.exploration import Decay, Explored

MINUTE_NS = 60_000_000_000

pytestmark = pytest.mark.nojit


def look(*decay: Decay) -> Explored:
    sizes = (0.04, 1.0, 0.9, (-0.4, 0.0, 0.4), ())
    return Explored("flow", "bars.parquet", 20210104, 20210211, 10920, decay, *sizes)


def test_a_look_draws_each_horizon_that_has_rows_and_a_length() -> None:
    kinds = (
        (0, 0.03, 10),
        (MINUTE_NS, 0.04, 10),
        (5 * MINUTE_NS, 0.06, 9),
        (9 * MINUTE_NS, None, 0),
    )
    plot = look(*(Decay(ns, ic, None, None, rows) for ns, ic, rows in kinds)).plot()
    assert repr(plot) == (
        "Information by horizon: flow on 10,920 rows of the explore split; not a trial."
    )
    assert plot.svg.count("h0") == 2, "a dot for each"
    assert "60 s" in "".join(fromstring(plot.svg).itertext())


def test_a_look_without_a_horizon_is_a_sentence_not_an_error() -> None:
    assert fromstring(look().plot().svg).get("role") == "img"
