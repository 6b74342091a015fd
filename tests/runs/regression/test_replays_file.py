"""`replays.yaml` is refused with file, line, replay, field and cure; what is blessed has a seal."""

from pathlib import Path

import pytest

from hft.core.errors import ConfigError, DataError
from hft.runs.regression import file as replays

pytestmark = pytest.mark.nojit

GOOD = """# Ours.
replays:
  one:
    tapes: tapes/x   # beside this file
    strategy: two_sided
  two:
    tapes: [a, b]
    strategies: {maker: two_sided, taker: {strategy: momentum, params: {lots: 1}}}
    digest: any
    metrics: {net: 2%, fills: exact, fees: 0.5}
"""
ENTRY = {"digest": "a" * 64, "metrics": {"net": -1.5e-07, "fills": 3}, "tapes": {"1e5": 1}}


def write(folder: Path, text: str) -> Path:
    path = folder / "replays.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("    strategy: two_sided", "    stratgy: two_sided"), "line 5: one: stratgy: no such"),
        (("    strategy: two_sided", "    stratgy: two_sided"), "did you mean strategy?"),
        (("    strategy: two_sided\n", ""), "line 3: one: write strategy, or strategies"),
        (("tapes: tapes/x", "seed: 3"), "line 3: one: has no tapes"),
        (("tapes: tapes/x", "tapes: true"), "line 4: one: tapes: True cannot be used"),
        (("digest: any", "digest: most"), "line 9: two: digest: 'most' is neither exact nor any"),
        (("net: 2%", "net: some"), "line 10: two: metrics: net: 'some' is none of exact, 0.5"),
        (("net: 2%", "net: -1"), "line 10: two: metrics: net: -1 is none of"),
        (("lots: 1", "lots: 1}, sed: {"), "line 8: two: strategies.taker: 'sed' is none of"),
        (("    digest: any", "    params: {lots: 1}"), "line 9: two: params: belongs to one"),
        (("replays:", "replay:"), "has no replays"),
        (("# Ours.", "extra: 1"), "line 1: 'extra' is neither replays nor blessed"),
        (("  two:", "  a/b:"), "line 6: 'a/b': a name has letters, digits"),
        (("  two:", "  one:"), "line 6: key 'one' is given twice"),
        (("    metrics: {net: 2%, fills: exact, fees: 0.5}", ""), "nothing would be checked"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_what_to_write(
    edit: tuple[str, str], said: str, tmp_path: Path
) -> None:
    path = write(tmp_path, GOOD.replace(*edit))
    with pytest.raises(ConfigError) as refused:
        replays.read(path)
    assert str(path) in str(refused.value) and said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        replays.read(tmp_path / "none.yaml")


def test_a_bless_leaves_what_the_user_wrote_and_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    replays.bless(replays.read(path), {"two": ENTRY}, drop=True)
    replays.bless(replays.read(path), {"one": ENTRY}, drop=True)
    text = path.read_text()
    assert text.startswith(GOOD) and text.count(replays.HEAD) == 1
    found = replays.read(path)
    assert not found.edited and list(found.blessed) == ["one", "two"]
    assert {**found.blessed["two"], "seal": ""} == {**ENTRY, "seal": ""}
    replays.bless(found, {}, drop=True)
    assert path.read_text() == text


def test_lines_that_end_as_on_windows_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "replays.yaml"
    own = GOOD.encode().replace(b"\n", b"\r\n")
    file.write_bytes(own)
    for digest in ("aa", "bb"):
        replays.bless(replays.read(file), {"one": {**ENTRY, "digest": digest}}, drop=True)
    after = file.read_bytes()
    assert after.startswith(own.rstrip()) and after.count(b"\n") == after.count(b"\r\n")
    assert after.count(b"# Written by") == 1
    assert replays.read(file).blessed["one"]["digest"] == "bb"


def test_a_file_edited_while_its_replays_ran_is_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    found = replays.read(path)
    path.write_text(GOOD.replace("2%", "3%"))
    with pytest.raises(ConfigError, match="edited while its replays ran"):
        replays.bless(found, {"one": ENTRY}, drop=True)
    assert "3%" in path.read_text() and "blessed" not in path.read_text()


@pytest.mark.parametrize(
    ("old", "new"), [('"aaaa', '"abaa'), ("fills: 3", "fills: 4"), ("fills: 3", "fils: 3")]
)
def test_a_blessed_entry_that_was_edited_by_hand_is_one_clear_sentence(
    old: str, new: str, tmp_path: Path
) -> None:
    path = write(tmp_path, GOOD)
    replays.bless(replays.read(path), {"one": ENTRY, "two": ENTRY}, drop=True)
    path.write_text(path.read_text().replace(old, new, 1))
    found = replays.read(path)
    assert list(found.edited) == ["one"]
    with pytest.raises(DataError) as refused:
        found.refuse_edited(set())
    said = str(refused.value)
    assert f"{path}: line 14: what is blessed for 'one' was edited by hand" in said
    assert "version control" in said and "`hft replay check -k one --bless`" in said
    found.refuse_edited({"one"})


def test_an_entry_cannot_be_passed_off_as_that_of_another_replay(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    replays.bless(replays.read(path), {"one": ENTRY}, drop=True)
    path.write_text(GOOD + path.read_text()[len(GOOD) :].replace("  one:\n", "  two:\n"))
    assert list(replays.read(path).edited) == ["two"]


def test_what_is_blessed_and_no_replay_any_more_is_kept_until_a_bless_of_all(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, GOOD)
    replays.bless(replays.read(path), {"one": ENTRY, "two": ENTRY}, drop=True)
    path.write_text(path.read_text().replace("\n  one:", "\n  uno:", 1))
    assert replays.read(path).left_over == ["one"]
    replays.bless(replays.read(path), {}, drop=False)
    assert replays.read(path).left_over == ["one"]
    replays.bless(replays.read(path), {}, drop=True)
    assert replays.read(path).left_over == []
