"""Half an hour of a synthetic market, made once."""

import pytest

from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.gateway.limits import Limits
from hft.research.rl.episode import Market
from hft.research.rl.quoting import Quoting
from hft.runs.ingest import write_feeds
from hft.runs.venues import Venue
from hft.tape.dataset import Tapes

SECOND = 1_000_000_000


@pytest.fixture(scope="session")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    feed = synthesize(5, events=30_000, span_ns=1_800 * SECOND)
    return write_feeds([feed], tmp_path_factory.mktemp("tape"), DecodeOptions(format="synthetic"))


@pytest.fixture(scope="session")
def market(tapes: Tapes) -> Market:
    venue = Venue(latency="5ms", fees={"maker_bps": "0", "taker_bps": "0.2"})
    return Market(tapes, Limits(), venue, SECOND, Quoting(1, 5, 4))
