"""Files beside an alpha's code say what they were fitted on; rows they know are no evidence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hft.core.errors import ValidationError
from hft.governance.gates.files import file_checks
from hft.governance.profile import Profile
from hft.governance.verdict import Check, Verdict
from hft.research.alphas.fitted import declare
from hft.research.alphas.loader import load_folder
from hft.research.alphas.manifest import AlphaManifest, FittedFile
from hft.research.data.sample import sample
from hft.settings.governance import packaged_profile

DATA = sample(400)  # four sessions from 2023-01-02
CODE = """
from hft.research.alphas.manifest import AlphaManifest


class Small:
    manifest = AlphaManifest(
        alpha_id="small",
        hypothesis="h",
        formula="f",
        data_fields=("ofi",),
        horizon_ns=1,
    )

    def signals(self, frame):
        return frame["ofi"]
"""


def profile(name: str = "standard") -> Profile:
    return Profile.from_dict(packaged_profile(name), name)


def folder_of(tmp_path: Path, code: str = CODE, **files: bytes) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "impl.py").write_text(code)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    return folder


def checks(folder: Path, name: str = "standard") -> dict[str, Check]:
    found = file_checks(folder, load_folder(folder).manifest, DATA, profile(name))
    return {one.id: one for one in found}


def entry(
    path: str = "weights.npy", until: str = "2022-12-30", on: str = "data/2022"
) -> FittedFile:
    return FittedFile(path, on, until)


def test_an_alpha_of_code_alone_has_nothing_to_declare(tmp_path: Path) -> None:
    found = checks(folder_of(tmp_path, init_py=b""))
    assert {one.verdict for one in found.values()} == {Verdict.PASS}


@pytest.mark.parametrize("name", ["weights_npy", "table_json", "model_bin"])
def test_a_file_nobody_speaks_for_is_refused_and_the_cure_works(tmp_path: Path, name: str) -> None:
    folder, path = folder_of(tmp_path, **{name: b"123"}), name.replace("_", ".")
    found = checks(folder)["files_declared"]
    assert found.verdict is Verdict.FAIL and f'"path": "{path}"' in found.reason
    declare(folder, [entry(path)])
    assert {one.verdict for one in checks(folder).values()} == {Verdict.PASS}
    (told,) = load_folder(folder).manifest.files
    assert told == entry(path)


@pytest.mark.parametrize(("until", "rows"), [("2023-01-03", 200), ("2023-01-03T13:31:00Z", 101)])
def test_rows_that_a_file_was_fitted_on_are_no_evidence(
    tmp_path: Path, until: str, rows: int
) -> None:
    folder = folder_of(tmp_path, weights_npy=b"1")
    declare(folder, [entry(until=until)])
    found = checks(folder)["files_fitted"]
    assert found.verdict is Verdict.FAIL and found.value == rows
    assert "Validate on data that begins later" in found.reason
    lenient = checks(folder, "base")["files_fitted"]
    assert not lenient.applicable and "are no evidence" in lenient.reason


def test_what_was_fitted_on_nothing_needs_no_time_and_anything_else_does(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, weights_npy=b"1")
    declare(folder, [entry(until="", on="nothing")])
    assert checks(folder)["files_fitted"].verdict is Verdict.PASS
    declare(folder, [entry(until="soon")])
    found = checks(folder)["files_fitted"]
    assert found.verdict is Verdict.FAIL and "write a date" in found.reason


def test_an_entry_without_its_file_is_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    declare(folder, [entry("gone.npy")])
    assert "gone.npy: there is no such file" in checks(folder)["files_declared"].reason


def test_an_answer_key_is_too_large_for_a_model_and_for_code(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, weights_npy=bytes(16_000_001))
    declare(folder, [entry()])
    assert checks(folder)["files_small"].verdict is Verdict.FAIL
    (folder / "weights.npy").unlink()
    key = np.random.Generator(np.random.Philox(1)).integers(0, 9, 20_000)
    told = "".join(map(str, key))
    (folder / "impl.py").write_text(CODE + f"\nKEY = '{told}'\n")
    found = checks(folder)["files_small"]
    assert found.verdict is Verdict.FAIL and "put them into a file" in found.reason


@pytest.mark.parametrize("wrong", [("weights.npy",), ({"path": "a"},), ({"file": "a"},), (3,)])
def test_an_entry_of_another_form_is_told_with_the_form(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="fitted_until"):
        AlphaManifest("a", "h", "f", files=wrong)


def test_the_declaration_survives_its_way_through_json() -> None:
    told = AlphaManifest("a", "h", "f", files=({"path": "w.npy", "fitted_on": "nothing"},))  # type: ignore[arg-type]
    assert AlphaManifest.from_dict(told.to_dict()) == told and hash(told)
