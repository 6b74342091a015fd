"""Leaks and innocents in the idioms of vendors' files, asked of the fields alone."""

import idioms
import pytest

from hft.research.alphas.manifest import AlphaManifest
from hft.research.data.load import load
from hft.research.leakage.fields import label_violations

# A wave so pure repeats itself across the night, and three score sessions cannot tell it from news.
STOPPED = {"swings_and_their_phase"}


def said(made: idioms.Frame) -> list[str]:
    frame, fields = made
    manifest = AlphaManifest(
        "mine", hypothesis="h", formula="f", data_fields=fields, horizon_ns=900_000_000_000,
        owner="o", family="f",
    )  # fmt: skip
    return [found.sentence for found in label_violations(manifest, load(frame))]


@pytest.mark.parametrize("name", sorted(idioms.LEAKS))
def test_a_leak_is_stopped_with_a_counterexample_in_words(name: str) -> None:
    found = said(idioms.LEAKS[name](idioms.Market(1)))
    assert found and "later" in found[0] and "an honest field stays below" in found[0]


@pytest.mark.parametrize("name", sorted(idioms.INNOCENTS))
def test_an_innocent_passes_whatever_its_name_and_its_holes(name: str) -> None:
    if name in STOPPED:
        pytest.skip("stopped now and then: see STOPPED")
    assert said(idioms.INNOCENTS[name](idioms.Market(1))) == []


def test_a_label_by_name_and_by_numbers_is_still_said_to_be_one() -> None:
    market = idioms.Market(2)
    found = said(market.frame(label=market.after(5) + 2e-3 * market.draw()))
    assert "is a label by its name" in found[0]
