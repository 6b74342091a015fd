"""`hft data`: the commands over real files, and the exit code of each kind of refusal."""

import json
import resource
from pathlib import Path

import pytest

from hft.cli.app import run

CSV = "Time,Price,Size,Side\n2024-01-02T12:00:00Z,100.25,3,buy\n2024-01-02T12:00:01Z,100.5,4,sell\n"
GRID = ("--tick", "0.25", "--lot", "1")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    path.write_text(CSV)
    return path


def test_ingest_show_and_verify_a_csv(own: Path, tmp_path: Path, capsys):
    out = str(tmp_path / "out")
    args = ["data", "ingest", str(own), "--out", out, "--columns", "ts=Time", "--symbol", "X"]
    assert run([*args, *GRID]) == 0
    assert f"2 rows in {out}, read as trades" in " ".join(capsys.readouterr().out.split())
    assert run(["data", "show", out, "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["symbol"], entry["rows"], entry["instrument"]["tick"]) == ("X", 2, "0.25")
    assert run(["data", "show", out]) == 0
    assert "assumed_clock" in capsys.readouterr().out
    assert run(["data", "verify", out]) == 0
    assert entry["sha256"][:16] in capsys.readouterr().out


def test_verify_names_a_damaged_tape(own: Path, tmp_path: Path, capsys):
    out = tmp_path / "out"
    assert run(["--quiet", "data", "ingest", str(own), "--out", str(out), *GRID]) == 0
    (path,) = out.glob("*.tape.arrow")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert run(["data", "verify", str(out)]) == 65
    assert path.name in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["nothing.csv"], 65, "nothing.csv: no such file"),
        (["own.csv", "--format", "binanse"], 78, "no format 'binanse'"),
        (["own.csv", "--columns", "price=Prise"], 65, "did you mean 'Price'?"),
        (["own.csv", "--tick", "0.2", "--lot", "1"], 65, "row 2: off_grid"),
        (["own.csv", "--tick", "0.5"], 65, "own.csv: instrument 'X' is unknown: add it to"),
        (["own.csv", "--waive", "everything"], 78, "unknown finding 'everything'"),
    ],
)
def test_a_refusal_is_one_sentence_with_its_exit_code(
    own: Path, monkeypatch, capsys, args, code, message
):
    monkeypatch.chdir(own.parent)
    assert run(["data", "ingest", *args, "--out", "out", "--symbol", "X"]) == code
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert not Path("out").exists()


def test_formats_and_instruments_are_listed(capsys):
    assert run(["data", "formats", "--json"]) == 0
    assert "binance-usdm" in json.loads(capsys.readouterr().out)
    assert run(["data", "instruments", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ESH4"]["tick"] == "0.25"


def test_synth_makes_the_same_day_from_the_same_seed(tmp_path: Path, capsys):
    hashes = []
    for name in ("a", "b"):
        out = str(tmp_path / name)
        args = ["data", "synth", "--out", out, "--events", "3000", "--seed", "7", "--json"]
        assert run(args) == 0
        hashes.append(json.loads(capsys.readouterr().out)[0]["sha256"])
    assert hashes[0] == hashes[1]


def test_an_unknown_instrument_is_told_which_of_the_table_it_may_be(own: Path, capsys):
    ingest = ["data", "ingest", str(own), "--out", str(own.parent / "out")]
    assert run([*ingest, "--symbol", "BTC/USDT:USDT"]) == 65
    said = " ".join(capsys.readouterr().err.split())
    assert "if it is binance-usdm:BTCUSDT or binance-spot:BTCUSDT, say so by --symbol; " in said
    assert run([*ingest, "--symbol", "ABC"]) == 65
    assert "'ABC' is unknown: add it" in capsys.readouterr().err


def test_columns_may_stand_in_one_text_with_commas(own: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(own.parent)
    named = ["data", "ingest", "own.csv", "--symbol", "X", *GRID, "--columns"]
    own.write_text(CSV.replace("Price", "Px"))
    assert run([*named, "ts=Time,price=Px, qty=Size", "--columns", "side=Side"]) == 0
    assert "2 rows in tapes, read as trades" in " ".join(capsys.readouterr().out.split())
    assert run([*named, "ts=Time,ts=Px"]) == 64
    assert "--columns: ts is given twice; keep one" in capsys.readouterr().err


def test_a_comma_in_the_name_of_a_column_is_its_own(own: Path, monkeypatch, capsys):
    own.write_text(CSV.replace("Price", '"Price, USD"'))
    monkeypatch.chdir(own.parent)
    named = ["data", "ingest", "own.csv", "--symbol", "X", *GRID, "--columns"]
    assert run([*named, "ts=Time,price=Price, USD"]) == 0
    assert "2 rows in tapes" in " ".join(capsys.readouterr().out.split())


def test_findings_are_lines_in_full_where_a_terminal_has_no_room(
    tmp_path: Path, monkeypatch, capsys
):
    print_ = "2024-01-02T12:00:01Z,100.5,4,sell\n"
    (tmp_path / "own.csv").write_text(CSV.replace("Time", "ts") + print_)
    out = str(tmp_path / "out")
    assert run(["--quiet", "data", "ingest", str(tmp_path / "own.csv"), "--out", out, *GRID]) == 0
    capsys.readouterr()
    monkeypatch.setattr("hft.cli.context.width", lambda: 80)
    assert run(["data", "show", out]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "own 2024-01-02" in lines and max(map(len, lines)) <= 80
    said = " ".join(" ".join(lines).split())
    assert "assumed_clock 3, first at source row 2: no receive time: ts stands for both" in said
    assert "repeated_row 1, first at tape row 3: 2024-01-02T12:00:01" in said
    assert said.endswith("TRADE sell 4 lots at tick 402")
    monkeypatch.setattr("hft.cli.context.width", lambda: 200)
    assert run(["data", "show", out]) == 0
    assert "finding" in capsys.readouterr().out, "a table where there is room"


def test_an_error_of_time_has_its_numbers_under_json(tmp_path: Path, capsys):
    (tmp_path / "own.csv").write_text(
        "ts,price,qty\n1704218400,1,1\n1704195000,1,1\n1704218401,1,1\n"
    )
    args = ["data", "ingest", str(tmp_path / "own.csv"), "--tick", "1", "--lot", "1", "--json"]
    assert run(args) == 65
    captured = capsys.readouterr()
    said = json.loads(captured.out)
    assert "time goes back 6 h 30 min (1 times in all)" in captured.err
    assert (said["back_ns"], said["row"], said["times"]) == (23_400_000_000_000, 3, 1)


def test_what_lies_beside_data_in_a_folder_is_no_data(tmp_path: Path, capsys):
    folder = tmp_path / "vision"
    folder.mkdir()
    (folder / "own.csv").write_text(CSV.replace("Time", "ts"))
    (folder / "own.csv.CHECKSUM").write_text("0123abcd  own.csv\n")
    assert run(["data", "ingest", str(folder), "--out", str(tmp_path / "out"), *GRID]) == 0


def test_a_disk_that_takes_no_more_ends_with_the_code_of_one_and_says_what_to_do(
    tmp_path: Path, capsys
):
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most))  # a full disk, for one process
    try:
        code = run(["--quiet", "data", "synth", "--out", str(tmp_path / "t"), "--events", "50000"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert code == 74
    said = capsys.readouterr().err
    assert "the tape cannot be written: File too large; make room on the disk" in said
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size]
