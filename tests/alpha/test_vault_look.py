"""A look at the vault: paid first, signed, limited, and only for a frozen candidate."""

from pathlib import Path

import polars as pl
import pytest

from hft.alpha.data.planted import planted
from hft.api import research
from hft.api.validation import validate
from hft.api.vault import look
from hft.audit.journal import read
from hft.core.errors import GovernanceError, PromotionError


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A validated alpha on data with a vault, and a budget of two looks."""
    root = tmp_path_factory.mktemp("vault") / "desk"
    research.init(root)
    settings = root / "config" / "default.yaml"
    text = settings.read_text().replace("vault_looks: 3", "vault_looks: 2")
    on, off = "HFT_ALPHA_AUDIT_ENABLED: true", "HFT_ALPHA_AUDIT_ENABLED: false"
    settings.write_text(text.replace(on, off))
    research.scaffold("mine", source="order_flow_imbalance", horizon="1min", root=root)
    bars = root / "bars.parquet"
    planted(0.05, days=100, seed=1).write_parquet(bars)
    research.make_features([str(bars)], root / "data", horizons="1min", split="40,40,20")
    validate(
        "mine",
        str(root / "data"),
        root=root,
        profile="base",
        skip_gate_b_tests=True,
        set={"gate_b.runs_min": 1.0},
    )
    return root


def test_each_look_is_paid_signed_and_shown_and_the_last_one_is_the_last(desk: Path) -> None:
    first = look("mine", reason="final check", root=desk)
    assert first.sessions == 20 and first.looks_left == 1 and first.sharpe is not None
    second = look("mine", reason="once more", root=desk)
    assert second.sharpe == first.sharpe and second.looks_left == 0
    rows = [row for row in read(desk / ".state" / "audit") if row["table"] == "override_log"]
    assert [row["row"]["reason"] for row in rows] == ["final check", "once more"]
    assert all("BEGIN SSH SIGNATURE" in row["row"]["signature"] for row in rows)
    with pytest.raises(GovernanceError, match="all 2 looks are spent"):
        look("mine", reason="please", root=desk)


def test_the_vault_is_not_among_the_rows_that_were_validated(desk: Path) -> None:
    frame = pl.read_parquet(next((desk / "data").glob("*.parquet")))
    assert frame["ts"].n_unique() == 100 * 390


def test_a_look_needs_a_reason_and_a_frozen_candidate(desk: Path) -> None:
    with pytest.raises(GovernanceError, match="reason"):
        look("mine", reason=" ", root=desk)
    with pytest.raises(PromotionError, match="no scorecard"):
        look("other", reason="curious", root=desk)
    code = desk / "research" / "alphas" / "mine" / "impl.py"
    text = code.read_text()
    try:
        code.write_text(text + "\n# changed\n")
        with pytest.raises(PromotionError, match="code moved"):
            look("mine", reason="curious", root=desk)
    finally:
        code.write_text(text)
