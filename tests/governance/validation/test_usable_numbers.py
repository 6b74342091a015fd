"""What would spend trials on nothing, or hide where files are, is refused in a sentence."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hft.cli.app import run
from hft.core.errors import ConfigError
from hft.governance.profile import Profile
from hft.governance.validation.request import Request
from hft.governance.validation.structure import governance
from hft.settings import read_profile

STANDARD = Profile.from_dict(read_profile("standard"), "standard")


@pytest.mark.parametrize(
    ("field", "value"), [("max_position", 0.0), ("max_position", -1.0), ("taker_bps", -9.0)]
)
def test_a_position_of_nothing_and_a_fee_that_pays_are_refused(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{field}: {value!r}"):
        Request("a", None, STANDARD, **{field: value})  # type: ignore[arg-type]
    Request("a", None, STANDARD, max_position=0.5, taker_bps=0.0)


@pytest.mark.parametrize("field", ["threshold", "max_position", "taker_bps", "maker_bps"])
def test_a_number_that_is_none_is_refused_before_any_data_is_read(field: str) -> None:
    with pytest.raises(ConfigError, match=f"{field}: nan"):
        Request("a", None, STANDARD, **{field: float("nan")})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"threshold: -1\.0 cannot be used; write a finite"):
        Request("a", None, STANDARD, threshold=-1.0)


def test_many_files_outside_the_allowed_folders_are_one_sentence(tmp_path: Path) -> None:
    names = [str(tmp_path / f"{day}.parquet") for day in range(234)]
    data = SimpleNamespace(files=dict.fromkeys(names, ()), metadata={})
    (said,) = governance(data, ["/allowed"])  # type: ignore[arg-type]
    assert said == f"{names[0]} and 233 more files: are not under an allowed folder (/allowed)"
    assert governance(data, [str(tmp_path)]) == []  # type: ignore[arg-type]


def test_a_complexity_that_gate_a_would_refuse_is_not_scaffolded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["--quiet", "init", str(tmp_path / "desk")]) == 0
    monkeypatch.chdir(tmp_path / "desk")
    assert run(["--quiet", "alpha", "scaffold", "a", "--complexity", "O9"]) == 78
    assert run(["--quiet", "alpha", "scaffold", "a", "--horizon", "5fortnights"]) == 78
    assert not Path("research/alphas/a").exists()
    assert run(["--quiet", "alpha", "scaffold", "a", "--complexity", "o( n )"]) == 0
    assert 'complexity="O(N)"' in Path("research/alphas/a/impl.py").read_text()


def test_apply_on_an_alpha_that_nobody_promoted_does_not_ask_for_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--quiet", "init", str(tmp_path / "desk")]) == 0
    monkeypatch.chdir(tmp_path / "desk")
    capsys.readouterr()
    assert run(["alpha", "canary", "evaluate", "nobody", "--apply"]) == 65
    said = capsys.readouterr().out
    assert "no enabled promotion" in said
    assert "--apply" not in said
