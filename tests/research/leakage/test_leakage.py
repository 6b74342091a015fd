"""Gate A: every kind of leak is caught with an example a person can follow; nothing else is."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import innocents
import numpy as np
import polars as pl
import pytest
import zoo

from hft.core.errors import ValidationError
from hft.governance.gates.leakage import leak_checks
from hft.governance.verdict import Verdict
from hft.research.alphas.loaded import LoadedAlpha
from hft.research.alphas.loader import load_folder
from hft.research.alphas.signals import evaluate
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.data.sample import sample
from hft.research.leakage import check_alpha
from hft.research.leakage.invariance import Settings, check


@pytest.fixture(scope="module")
def market() -> ResearchData:
    """A small market in which order flow is missing now and then."""
    data = sample(rows=900, seed=11)
    holes = np.random.Generator(np.random.Philox(4)).random(900) < 0.1
    holes[:3] = True
    flow = pl.Series("ofi", np.where(holes, np.nan, data.field("ofi")))
    mid = pl.Series("current_mid", data.price)
    return data.with_frame(data.frame.with_columns(flow, mid))


def folder_of(tmp_path: Path, text: str, **files: Any) -> LoadedAlpha:
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "impl.py").write_text(text)
    for name, content in files.items():
        np.save(folder / f"{name}.npy", content)
    return load_folder(folder)


@pytest.mark.parametrize("name", sorted(zoo.BATCHES_AHEAD))
def test_a_construction_that_looks_ahead_is_caught_with_an_example(
    name: str, market: ResearchData
) -> None:
    report = check_alpha(zoo.BATCHES_AHEAD[name], market)
    assert not report.clean, f"{name} passed"
    assert len(report.cuts) >= 12
    first = report.first
    assert first is not None and first.kind in ("prefix", "perturbation")
    assert first.ts_ns == market.ts_ns[first.row]
    assert first.seen != first.known


@pytest.mark.parametrize("name", sorted(innocents.INNOCENT))
def test_a_construction_that_does_not_look_ahead_passes(name: str, market: ResearchData) -> None:
    report = check_alpha(innocents.INNOCENT[name], market)
    assert report.clean, report.first.sentence if report.first else ""
    assert len(report.cuts) >= 12
    signal = evaluate(innocents.INNOCENT[name], market)
    assert np.nanstd(signal) > 0, "a construction that says nothing proves nothing"


def test_the_zoo_is_as_large_as_promised() -> None:
    assert len(zoo.BATCHES_AHEAD) + 6 >= 16 and len(innocents.INNOCENT) + 1 >= 12


def test_the_example_is_the_smallest(market: ResearchData) -> None:
    """A centred mean of five: row 3 changes when row 5 arrives, and order flow carries it."""
    whole = market.with_frame(
        market.frame.with_columns(pl.Series("ofi", np.arange(900, dtype=float) % 37))
    )
    first = check_alpha(zoo.BATCHES_AHEAD["centred_mean"], whole).first
    assert first is not None
    assert (first.row, first.prefix_rows, first.reach, first.column) == (2, 5, 2, "ofi")
    assert first.seen is None and first.known == 2.0
    assert "row 3" in first.sentence and "2 rows ahead at ofi" in first.sentence


def test_the_example_is_of_frames_that_the_alpha_can_answer(market: ResearchData) -> None:
    def slope(data: ResearchData) -> np.ndarray:
        if len(data) < 40:
            raise ValidationError("needs 40 rows")
        return np.gradient(data.field("mid"))

    report = check(slope, market, fields=("mid",), settings=Settings(seed=3))
    first = report.first
    assert first is not None and first.kind == "prefix" and "nan" not in first.sentence
    assert first.seen is not None and first.known is not None
    rows = [int(word) for word in re.findall(r"the first (\d+)", first.sentence)]
    assert len(rows) == 2 and min(rows) >= 40


def test_the_cuts_are_in_the_warm_up_late_and_at_the_last_row_and_nobody_knows_the_rest(
    market: ResearchData,
) -> None:
    alpha = innocents.INNOCENT["trailing_mean"]
    first, second = check_alpha(alpha, market), check_alpha(alpha, market)
    assert any(cut < 20 for cut in first.cuts) and 899 in first.cuts
    assert first.cuts != second.cuts, "who can reckon the cuts looks ahead between them"
    assert first.to_dict() == second.to_dict(), "what is kept of them is the same each time"


def test_state_that_outlives_a_reset_is_caught(market: ResearchData) -> None:
    report = check_alpha(zoo.KeptAcrossReset, market)
    assert any(one.kind == "state" for one in report.violations)
    assert any("state is kept across reset()" in one.sentence for one in report.violations)
    assert not any("it looks" in one.sentence for one in report.violations), "it looks at nothing"
    assert not any("a fresh copy" in one.sentence for one in report.violations)


def test_a_cache_of_all_rows_in_the_module_is_caught(tmp_path: Path, market: ResearchData) -> None:
    report = check_alpha(folder_of(tmp_path, zoo.CACHED_SCALE), market)
    assert any(one.kind == "prefix" and "fresh copy" in one.sentence for one in report.violations)


def test_reading_the_data_by_its_path_is_caught(tmp_path: Path, market: ResearchData) -> None:
    path = tmp_path / "rows.parquet"
    market.frame.write_parquet(path)
    report = check_alpha(folder_of(tmp_path, zoo.READS_BY_PATH.format(path=str(path))), market)
    [found] = [one for one in report.violations if one.kind == "reads"]
    assert str(path) in found.sentence


def test_a_class_that_is_fitted_when_it_is_imported_is_caught(
    tmp_path: Path, market: ResearchData
) -> None:
    path = tmp_path / "rows.parquet"
    market.frame.write_parquet(path)
    loaded = folder_of(tmp_path, zoo.FITTED_AT_IMPORT.format(path=str(path)))
    assert loaded.reads == (str(path),)
    assert any(one.kind == "reads" for one in check_alpha(loaded, market).violations)


def test_a_signal_that_is_not_made_of_its_inputs_is_caught(
    tmp_path: Path, market: ResearchData
) -> None:
    report = check_alpha(folder_of(tmp_path, zoo.LOOKED_UP), market)
    assert [one.kind for one in report.violations] == ["inputs"]


HIDDEN = """
from pathlib import Path
from hft.research.alphas.manifest import AlphaManifest


class Hidden:
    manifest = AlphaManifest("hidden", "h", "f", (), ("ofi",), horizon_ns=1, owner="z", family="z")

    def reset(self):
        text = (Path(__file__).parent / "NAME").read_text()
        self.factor = float(text)
        self.last = 0.0

    def update(self, **tick):
        self.last = self.factor * tick["ofi"]
        return self.last

    def get_signal(self):
        return self.last
"""


@pytest.mark.parametrize("name", [".factor", "factor.md", "__pycache__/factor"])
def test_a_file_that_the_code_hash_leaves_out_may_not_be_read(
    tmp_path: Path, market: ResearchData, name: str
) -> None:
    (tmp_path / "thing").mkdir()
    path = tmp_path / "thing" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("2.0")
    (tmp_path / "thing" / "impl.py").write_text(HIDDEN.replace("NAME", name))
    loaded = load_folder(tmp_path / "thing")
    before = loaded.code_hash
    report = check_alpha(loaded, market)
    assert [one.kind for one in report.violations] == ["reads"]
    assert str(path) in report.violations[0].sentence
    path.write_text("3.0")
    assert load_folder(tmp_path / "thing").code_hash == before


def test_code_outside_the_folder_may_not_be_imported(
    tmp_path: Path, market: ResearchData, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_own_helper.py").write_text("def scaled(x):\n    return 2.0 * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    text = HIDDEN.replace("self.factor = float(text)", "self.factor = scaled(1.0)")
    text = text.replace('        text = (Path(__file__).parent / "NAME").read_text()\n', "")
    loaded = folder_of(tmp_path, "from my_own_helper import scaled\n" + text)
    assert loaded.reads == (str(tmp_path / "my_own_helper.py"),)
    assert any("my_own_helper" in one.sentence for one in check_alpha(loaded, market).violations)


def test_a_file_of_the_alphas_own_folder_may_be_read(tmp_path: Path, market: ResearchData) -> None:
    weights = np.array([0.5, 0.3, 0.2])
    loaded = folder_of(tmp_path, innocents.OWN_WEIGHTS, weights=weights)
    report = check_alpha(loaded, market)
    assert report.clean, report.first.sentence if report.first else ""


@pytest.mark.parametrize("field", ["label_5min", "fwd_ret", "target", "y", "next_close"])
def test_a_label_by_name_is_no_input_where_it_says_anything_of_what_follows(
    field: str, market: ResearchData
) -> None:
    """So weakly that its numbers alone would be those of an edge; noise of that name passes."""
    noise = np.random.Generator(np.random.Philox(8)).standard_normal(len(market))
    later = np.diff(np.log(market.price), append=np.log(market.price[-1]))
    alpha = zoo.batch(lambda frame: frame[field], field)
    for share, kinds in ((0.0, set()), (0.3, {"label"})):
        values = pl.Series(field, noise + share * later / later.std())
        found = check_alpha(alpha, market.with_frame(market.frame.with_columns(values))).violations
        assert {one.kind for one in found} == kinds
        assert all("is a label by its name" in one.sentence for one in found)


@pytest.mark.parametrize("steps", [1, 5])
def test_a_label_under_another_name_is_no_input(steps: int, market: ResearchData) -> None:
    mid = market.price
    later = np.append(mid[steps:], [mid[-1]] * steps)
    for values in (later, later / mid - 1.0, mid - later):
        data = market.with_frame(market.frame.with_columns(pl.Series("clean_mid", values)))
        found = check_alpha(zoo.batch(lambda frame: frame["clean_mid"], "clean_mid"), data)
        [one] = [one for one in found.violations if one.kind == "label"]
        assert one.reach == steps and "clean_mid" in one.sentence


def test_ordinary_fields_of_real_bars_are_no_labels(shared_data: Path) -> None:
    from hft.research.leakage.fields import knows_later

    days = sorted((shared_data / "qqq_micro_bars_1m").glob("202312*.parquet"))
    data = load(days)
    assert [name for name in data.columns if knows_later(data, name)] == []


def test_the_report_is_lines_of_a_gate(market: ResearchData) -> None:
    fine = leak_checks(check_alpha(innocents.INNOCENT["trailing_mean"], market))
    assert {check.verdict for check in fine} == {Verdict.PASS}
    wrong = leak_checks(check_alpha(zoo.BATCHES_AHEAD["next_row"], market))
    [prefix] = [check for check in wrong if check.id == "prefix_invariance"]
    assert prefix.verdict is Verdict.FAIL and "1 row ahead" in prefix.reason
    short = leak_checks(
        replace(check_alpha(innocents.INNOCENT["trailing_mean"], market), cuts=(1, 2))
    )
    assert short[0].verdict is Verdict.INSUFFICIENT and short[0].missing


def test_each_name_of_a_panel_is_tested(market: ResearchData) -> None:
    two = pl.concat(
        [market.frame.with_columns(pl.lit(name).alias("symbol")) for name in ("A", "B")]
    ).sort("ts", "symbol")
    data = market.with_frame(two.select("ts", "session", "symbol", *market.columns))
    assert check_alpha(innocents.INNOCENT["exponential_mean"], data).clean
    assert not check_alpha(zoo.BATCHES_AHEAD["scaled_by_all"], data).clean
