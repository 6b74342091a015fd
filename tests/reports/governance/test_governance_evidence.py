import json

import numpy as np
import pytest
from made_documents import MADE, validation
from made_evidence import canary, dsr_curve, heatmap, path_fan

from hft.reports.governance.document import Document, Fact, Table
from hft.reports.governance.evidence import (
    KINDS,
    DsrCurve,
    Equity,
    Heatmap,
    IcDecay,
    ParameterPlateau,
    PathFan,
    Picture,
)


@pytest.mark.parametrize("name", MADE)
def test_a_document_survives_json_unchanged(name: str) -> None:
    document = Document.of(MADE[name]())
    text = json.dumps(document.to_json(), sort_keys=True, allow_nan=False)
    again = Document.of(json.loads(text))
    assert json.dumps(again.to_json(), sort_keys=True, allow_nan=False) == text
    assert [one.kind for one in again.pictures] == [one.kind for one in document.pictures]


def test_every_picture_of_the_brief_is_drawn_by_some_page() -> None:
    drawn = {one.kind for made in MADE.values() for one in Document.of(made()).pictures}
    assert drawn == set(KINDS)


def test_what_is_no_number_becomes_null_and_numpy_becomes_plain() -> None:
    made = DsrCurve(
        trials=np.array([1, 2, 3]), dsr=[0.5, np.nan, np.inf], here=np.float64(np.nan), raw=7
    )
    assert made.dsr == (0.5, None, None) and made.here is None
    assert type(made.trials[0]) is int
    assert made.to_json()["dsr"] == [0.5, None, None]


def test_dates_of_numpy_become_nanoseconds() -> None:
    made = Equity(ts_ns=np.array(["2024-01-02", "2024-01-03"], "datetime64[D]"), net=[1.0, 2.0])
    assert made.ts_ns == (1_704_153_600_000_000_000, 1_704_240_000_000_000_000)


def test_series_of_different_lengths_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="ic_decay: ic has another length"):
        IcDecay(horizons_ns=[1, 2, 3], ic=[0.1, 0.2])
    with pytest.raises(ValueError, match="path_fan: paths has another length"):
        PathFan(paths=[[0.0, 1.0]], sharpe=[1.0, 2.0])
    with pytest.raises(ValueError, match="another shape"):
        ParameterPlateau(values=[1, 2], objective=[[1.0, 2.0]], second=[1, 2])
    with pytest.raises(ValueError, match="heatmap: matrix has another length"):
        Heatmap(ids=["a", "b"], matrix=[[1.0, 0.0]])


def test_an_unknown_kind_field_or_document_key_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'weather' is none of .*dsr_curve"):
        Picture.from_json({"kind": "weather"})
    with pytest.raises(ValueError, match="dsr_curve: it has no field 'colour'"):
        Picture.from_json(dsr_curve().to_json() | {"colour": "red"})
    with pytest.raises(ValueError, match="document: it has no field 'gatse'"):
        Document.of(validation() | {"gatse": []})


def test_a_picture_cannot_be_changed_after_it_was_made() -> None:
    with pytest.raises(AttributeError):
        path_fan().sharpe = ()  # type: ignore[misc]


def test_a_document_takes_records_pairs_and_mappings_alike() -> None:
    one = Document.of({"title": "x", "facts": [("a", "1"), {"label": "b", "text": "2"}]})
    assert one.facts == (Fact("a", "1"), Fact("b", "2"))
    table = Table("t", ["a"], [["1"]])
    assert Document.of({"title": "x", "tables": [table]}).tables == (table,)
    two = Document.of({"title": "x", "pictures": [canary(), heatmap().to_json(), None]})
    assert [p.kind for p in two.pictures] == ["canary_process", "heatmap"]
