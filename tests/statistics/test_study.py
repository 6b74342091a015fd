"""The studies: exact intervals, the same page from the same seed, and a broken promise shows."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import governance_study
from hft.statistics import study
from hft.statistics.betting import bernoulli_interval, bernoulli_log_e
from hft.statistics.series import generator
from hft.statistics.study import Canaries, Core, Share, Study


@pytest.mark.parametrize(("count", "of"), [(0, 40), (1, 1000), (17, 60), (60, 60)])
def test_a_share_has_the_exact_binomial_interval(count: int, of: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    theirs = stats.binomtest(count, of).proportion_ci(0.95, "exact")
    assert Share(count, of).interval == pytest.approx((theirs.low, theirs.high))
    assert str(Share(1, 4)).startswith("1 / 4 = 25.0% (")


def test_simulated_returns_have_the_sharpe_ratio_that_was_asked_for() -> None:
    returns = study.panel(generator(3), 2, 3.0, days=400_000)
    annual = returns.mean(axis=0) / returns.std(axis=0) * np.sqrt(252)
    assert annual == pytest.approx([3.0, 0.0], abs=0.08)
    assert returns.std(axis=0) == pytest.approx([0.01, 0.01], rel=0.01)


def test_a_core_passes_only_with_every_figure_there() -> None:
    good = Core(0.96, 3.2, 0.99, 0.1)
    assert good.passed
    assert Core(0.96, 3.2, 0.99, None).passed, "PBO may be not applicable"
    for missing in ("dsr", "t", "psr"):
        values = {"dsr": 0.96, "t": 3.2, "psr": 0.99, "pbo": 0.1, missing: None}
        assert not Core(**values).passed


def test_the_lower_bound_of_a_reject_rate_is_its_e_value() -> None:
    for rejects in range(0, 60, 5):
        beyond = bernoulli_interval(rejects, 800, 0.01).low > 0.02
        shown = rejects > 16 and bernoulli_log_e(rejects, 800, 0.02) >= np.log(100)
        assert beyond == shown


def test_worthless_alphas_do_not_pass_and_a_strong_one_does() -> None:
    noise = study.noise_factory(ledgers=2, alphas=12)
    assert noise.held and len(noise.rows) == 3
    real = study.planted(panels=6, sharpe_annual=5.0)
    assert real.held and real.rows[-1][1].startswith("6 / 6")
    hopeless = study.planted(panels=3, sharpe_annual=0.0)
    assert not hopeless.held


def test_a_canary_that_lost_its_edge_is_rolled_back_and_a_harmless_one_is_not() -> None:
    bad = Canaries("gone", -3.0, 2.5, 0.05)
    lost = study.canaries((bad,), count=20)
    assert not lost.held
    assert [cell.split(" = ")[0] for cell in lost.rows[0][1:]] == ["20 / 20"] * 4
    assert study.canaries((study.CLAIM,), count=20).held


def test_the_same_seed_writes_the_same_page_and_another_seed_another() -> None:
    def text(seed: int) -> str:
        return governance_study.section(study.planted(panels=2, sharpe_annual=1.5, seed=seed))

    assert text(5) == text(5)
    assert text(5) != text(6)


def test_a_study_run_alone_replaces_its_own_chapter_or_comes_last() -> None:
    def one(title: str, cell: str) -> Study:
        return Study(title, "all is well", ("a",), ((cell,),), True, 7)

    whole = governance_study.page([one("First", "1"), one("Second", "2")])
    anew = governance_study.replaced(whole, [one("First", "3"), one("Third", "4")])
    three = [one("First", "3"), one("Second", "2"), one("Third", "4")]
    assert anew == governance_study.page(three)


def test_a_promise_that_did_not_hold_is_marked_and_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Study("A title", "all is well", ("a", "b"), (("1", "2"),), False, 7, ("A note.",))
    monkeypatch.setitem(governance_study.QUICK, "noise", lambda: broken)
    assert governance_study.main(["--quick", "noise"]) == 1
    shown = capsys.readouterr().out
    assert "**did not hold**" in shown and "| 1 | 2 |" in shown and "A note." in shown
    with pytest.raises(SystemExit):
        governance_study.main(["nonsense"])


def test_the_operating_table_has_a_row_for_each_case() -> None:
    table = study.operating_characteristics(((0.0, 10), (4.0, 10)), panels=4)
    assert [row[0] for row in table.rows] == ["0 of 10", "4 of 10"]
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert table.rows[1][5].startswith("4 / 4")


def test_what_a_study_found_is_kept_until_the_code_is_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def one(cell: str) -> Study:
        return Study("A title", "all is well", ("a",), ((cell,),), True, 7, ("A note.",))

    def each(*names: str, folder: str, **more: bool) -> list[Study]:
        quick = more.get("quick", False)
        place = tmp_path / folder
        return list(governance_study.each(names, quick=quick, workers=2, folder=place))

    for table in (governance_study.STUDIES, governance_study.QUICK):
        monkeypatch.setitem(table, "noise", lambda: one("first"))
        monkeypatch.setitem(table, "grid", lambda: one("grid"))
    assert each("noise", folder="code") == [one("first")]
    for table in (governance_study.STUDIES, governance_study.QUICK):
        monkeypatch.setitem(table, "noise", lambda: one("second"))
    assert each("grid", "noise", folder="code") == [one("grid"), one("first")]
    assert each("noise", folder="other code") == [one("second")]
    assert each("noise", folder="code", quick=True) == [one("second")], "nothing is kept of these"
    (tmp_path / "code" / "noise.json").write_text("{")
    assert each("noise", folder="code") == [one("second")], "what is torn is found anew"
