"""The figures are on a port, read anew for each scrape, and what cannot be served is a sentence."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from moves import House
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as families

from hft.api.metrics import BOARD
from hft.cli.app import run

OPEN = {"Accept": "application/openmetrics-text; version=1.0.0"}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "gateway"
    home.mkdir()
    made = House(home)
    made.fill("a", 1)
    made.write()
    return made


@pytest.fixture
def address(house: House) -> Iterator[str]:
    """Where a process of its own serves the house."""
    code = "from hft.cli.app import main; main()"
    command = [sys.executable, "-c", code, "metrics", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        try:
            yield said.split(" at ")[1].split(";")[0]
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0, said + process.stderr.read()


def scrape(address: str, headers: dict[str, str] | None = None) -> str:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers or {})) as answer:
        return str(answer.read().decode())


def value(text: str, sample: str) -> float:
    (line,) = [line for line in text.splitlines() if line.startswith(sample + " ")]
    return float(line.split()[-1])


def test_a_scrape_has_what_the_gateway_shows_at_that_moment(house: House, address: str) -> None:
    text = scrape(address)
    assert value(text, "gateway_orders_submitted_total") == 1
    house.submit("b")
    house.write()
    assert value(scrape(address), "gateway_orders_submitted_total") == 2
    names = {one.name for one in families(text)}
    assert names == {one.name for one in open_families(scrape(address, OPEN))}
    assert {one.name for one in families(house.watch.read().text())} == names


def test_prometheus_own_tool_reads_the_text(house: House, address: str) -> None:
    """It also has opinions of names, which the contract has given."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed; the strict readers above read the text")
    done = subprocess.run(
        [tool, "check", "metrics"], input=scrape(address), capture_output=True, text=True
    )
    lines = (done.stdout + done.stderr).splitlines()
    opinions = [line for line in lines if "should not contain abbreviated units" in line]
    assert opinions and lines == opinions


def test_a_board_that_is_gone_or_another_thing_takes_the_gateway_down_and_nothing_else(
    house: House, address: str
) -> None:
    board = house.root / BOARD
    for content in (b"something else", b""):
        board.write_bytes(content)
        text = scrape(address)
        assert value(text, 'gateway_component_up{component="gateway"}') == 0
        assert "gateway_fence" not in text and value(text, "wal_mode") == 1
    board.unlink()
    assert value(scrape(address), 'gateway_component_up{component="gateway"}') == 0


@pytest.mark.parametrize("command", [["show"], ["serve", "--port", "0"]])
def test_without_a_gateway_or_with_a_foreign_board_it_is_one_sentence_and_code_69(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["metrics", *command]) == 69
    assert capsys.readouterr().err == (
        "hft: gateway: no gateway has run here; start one with `hft gateway run`\n"
    )
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / BOARD).write_text("not ours")
    assert run(["metrics", *command]) == 69
    said = capsys.readouterr().err
    assert "is no scoreboard of version 1" in said and said.count("\n") == 1
    assert os.listdir(tmp_path) == ["gateway"]


def test_a_port_that_is_taken_is_one_sentence_and_code_75(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["metrics", "serve", "--port", str(port)]) == 75
    said = capsys.readouterr().err
    assert "another process listens there; end it, or name another --port" in said
    assert str(port) in said and said.count("\n") == 1
    assert run(["metrics", "serve", "--host", "203.0.113.1"]) == 78
    assert "203.0.113.1:9090: cannot be listened on" in capsys.readouterr().err


def test_show_writes_what_a_scrape_has(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["metrics", "show"]) == 0
    text = capsys.readouterr().out
    assert value(text, "gateway_orders_filled_total") == 1
    assert run(["metrics", "list"]) == 0
    assert "| `wal_data_loss_total{table}` | counter | rows |" in capsys.readouterr().out


def test_a_scrape_leaves_the_gateways_folder_as_it_was(house: House, address: str) -> None:
    def there() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in house.root.rglob("*")}

    before = there()
    time.sleep(0.01)
    scrape(address)
    assert there() == before
