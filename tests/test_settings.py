"""Settings: precedence, refusals that name source, key and fix, and files that match the table."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hft.core.errors import ConfigError
from hft.gateway.limits import Limits
from hft.settings import find_instrument, limits_path, load_settings, read_instruments, read_limits
from hft.settings.folder import config_file, read_mapping
from hft.settings.keys import KEYS
from hft.storage.strict_yaml import load_yaml

ROOT = Path(__file__).resolve().parents[1]
NOTHING: dict[str, str] = {}

pytestmark = pytest.mark.nojit


def workspace(folder: Path, default: str = "", **files: str) -> Path:
    """A folder with config/default.yaml and more files beside it."""
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "default.yaml").write_text(default)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def refusal(*args: Any, **named: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(*args, **named)
    assert caught.value.exit_code == 78
    return str(caught.value)


def test_each_source_wins_over_the_ones_below_it(tmp_path: Path) -> None:
    home = workspace(
        tmp_path,
        "replay: {record: summary, out: from-default}\nHFT_GATEWAY_STARTUP_HOLDOFF_S: 1",
        mine__yaml="replay.out: from-file\nHFT_GATEWAY_STARTUP_HOLDOFF_S: 2\nvenue: {fills: whole}",
    )
    environment = {
        "GATEWAY_CONFIG": "mine.yaml",
        "HFT_GATEWAY_STARTUP_HOLDOFF_S": "3",
        "HFT_LIMITS": "live",
    }
    found = load_settings({"HFT_LIMITS": "bench"}, environment, home)
    assert found.limits == "bench"  # flag over environment
    assert found.gateway_startup_holdoff_s == 3  # environment over file
    assert found.replay_out == "from-file"  # file over default file
    assert found.replay_record == "summary"  # default file over default
    assert found.dedup_window_size == 10_000  # default
    assert found.venue_fills == "whole"


def test_every_row_says_where_its_value_came_from(tmp_path: Path) -> None:
    home = workspace(tmp_path, "HFT_GATEWAY_STARTUP_HOLDOFF_S: 1")
    found = load_settings({"replay.out": "x"}, {"MAX_DAILY_LOSS": "5"}, home)
    source = {row.name: row.source for row in found.table}
    assert source["replay.out"] == "command line"
    assert source["max_daily_loss"] == "environment MAX_DAILY_LOSS"
    assert source["HFT_GATEWAY_STARTUP_HOLDOFF_S"].endswith("default.yaml")
    assert source["HFT_DEDUP_WINDOW_SIZE"] == "default"
    assert source["capital"] == "limits file"


def test_a_prefixed_name_wins_over_the_plain_one() -> None:
    both = {"MAX_POSITION_SIZE": "5", "HFT_MAX_POSITION_SIZE": "7"}
    assert load_settings({}, both).limit_overrides["max_position_size"] == 7


def test_a_variable_of_another_program_is_not_read() -> None:
    assert "capital" not in load_settings({}, {"CAPITAL": "Paris"}).limit_overrides


def test_every_override_is_a_limit_the_gateway_accepts() -> None:
    flags = {"max_daily_loss": "20 % capital", "symbols.ESH4.max_long": 5, "HFT_DEDUP_TTL_S": 60}
    found = load_settings(flags, NOTHING).limit_overrides
    limits = Limits.from_dict(found)
    assert limits.get("symbols.ESH4.max_long") == 5
    assert limits.get("max_daily_loss") == "20 % capital"
    assert limits.get("HFT_DEDUP_TTL_S") == 60


def test_unset_limits_leave_the_limits_file_alone() -> None:
    assert dict(load_settings({}, NOTHING).limit_overrides) == {}


def test_limits_may_be_numbers_relative_or_off() -> None:
    flags = {
        "capital": "1000000.50",
        "risk": {"price_band_ticks": "max(20 ticks, 20 median spreads, 50 bps of mid)"},
        "storm_guard": {"feed_gap_s": "5 x p999_gap", "drawdown_pct": [-5, -10, -20]},
        "symbols": {"BRK.B": {"max_order_size": "5 x touch", "restricted": True}},
        "max_daily_loss": "20 % capital",
        "circuit_breaker_threshold": "off",
    }
    found = load_settings(flags, NOTHING).limit_overrides
    assert found["capital"] == Decimal("1000000.50")
    assert found["risk.price_band_ticks"].startswith("max(")
    assert found["storm_guard.drawdown_pct"] == [-5, -10, -20]
    assert found["symbols.BRK.B.max_order_size"] == "5 x touch"
    assert found["symbols.BRK.B.restricted"] is True
    assert found["circuit_breaker_threshold"] == "off"


def test_an_amount_may_be_a_scaled_integer_but_not_both() -> None:
    plain = load_settings({"max_daily_loss": "100000"}, NOTHING)
    scaled = load_settings({"max_daily_loss_x": 1_000_000_000}, NOTHING)
    assert plain.limit_overrides == scaled.limit_overrides
    assert plain.hash == scaled.hash
    assert "twice" in refusal({"max_daily_loss": 1, "max_daily_loss_x": 10_000}, NOTHING)
    assert "not an integer" in refusal({"max_daily_loss_x": "1.5"}, NOTHING)


def test_a_pair_with_a_colon_of_its_own_keeps_its_whole_name(tmp_path: Path) -> None:
    names = ("BTC/USDT:USDT", "ETH/USDT:USDT", "okx:BTC/USDT:USDT", "okx:BTC-USDT")
    file = tmp_path / "mine.yaml"
    file.write_text("".join(f'"{name}": {{tick: 1, lot: 1}}\n' for name in names))
    table = read_instruments(file)
    assert [(table[name].venue, table[name].symbol) for name in names] == [
        ("", "BTC/USDT:USDT"),
        ("", "ETH/USDT:USDT"),
        ("okx", "BTC/USDT:USDT"),
        ("okx", "BTC-USDT"),
    ]
    assert find_instrument(table, "ETH/USDT:USDT") is table["ETH/USDT:USDT"]
    assert find_instrument(table, "BTC-USDT") is table["okx:BTC-USDT"]


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        ({"replay.recrod": "full"}, {}, ["command line", "replay.recrod", "replay.record"]),
        ({}, {"HFT_DEDUP_WINDOW_SIZ": "1"}, ["environment", "did you mean 'HFT_DEDUP_WINDOW_SIZE"]),
        ({}, {"HFT_DEDUP_WINDOW_SIZE": "0"}, ["environment", "out of range", "from 1 to"]),
        ({}, {"HFT_DEDUP_WINDOW_SIZE": "ten"}, ["HFT_DEDUP_WINDOW_SIZE", "'ten'", "whole number"]),
        (
            {"HFT_GATEWAY_STARTUP_HOLDOFF_S": 1.5},
            {},
            ["HFT_GATEWAY_STARTUP_HOLDOFF_S", "whole number"],
        ),
        (
            {"HFT_GATEWAY_STARTUP_HOLDOFF_S": True},
            {},
            ["HFT_GATEWAY_STARTUP_HOLDOFF_S", "whole number"],
        ),
        ({"replay.cache": "yes"}, {}, ["replay.cache", "true or false"]),
        ({"replay.record": "all"}, {}, ["replay.record", "digest, summary, full"]),
        ({"HFT_GATEWAY_HALT_CANCEL": "0"}, {}, ["halt always lets cancels through"]),
        ({"HFT_RISK_FAST_GATE_PRICE_SCALE": 1000}, {}, ["write 10000"]),
        ({"capital": "nan"}, {}, ["capital", "number"]),
        ({"capital": "5 x bananas and more"}, {}, ["capital", "number"]),
        ({"storm_guard.warm_threshold": 5}, {}, ["storm_guard.warm_threshold", "0 or less"]),
        ({"storm_guard.drawdown_pct": [1, 2]}, {}, ["list of 3 numbers"]),
        ({"replay": "full"}, {}, ["unknown key 'replay'"]),
        ({"nonsense": {}}, {}, ["unknown key 'nonsense'"]),
        ({"symbols": {"ESH4": {"max_lnog": 1}}}, {}, ["unknown key 'symbols.ESH4.max_lnog'"]),
        ({}, {"GATEWAY_CONFIG": "gone.yaml"}, ["GATEWAY_CONFIG", "gone.yaml"]),
    ],
)
def test_what_cannot_be_used_is_refused_with_source_key_and_fix(
    flags: dict[str, Any], environment: dict[str, str], words: list[str]
) -> None:
    text = refusal(flags, environment)
    assert all(word in text for word in words), text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("c.yaml", "replay:\n  record: full\n  record: digest\n", ["line 3", "given twice"]),
        ("c.yaml", "replay: {record: full", ["not valid YAML", "line"]),
        ("c.yaml", "- a list", ["mapping"]),
        ("c.yaml", "a: !!python/name:os.system x", ["not valid YAML"]),
        ("c.toml", "replay = ", ["not valid TOML"]),
        ("c.json", '{"replay": {}, "replay": {}}', ["given twice"]),
        ("c.json", "{", ["line 1", "not valid JSON"]),
    ],
)
def test_a_file_that_cannot_be_read_names_itself_and_the_place(
    tmp_path: Path, name: str, content: str, words: list[str]
) -> None:
    (tmp_path / name).write_text(content)
    text = refusal({}, {"GATEWAY_CONFIG": name}, tmp_path)
    assert all(word in text for word in [name, *words]), text


def test_toml_and_json_say_the_same_as_yaml(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("replay: {record: digest}\nHFT_GATEWAY_STARTUP_HOLDOFF_S: 9\n")
    (tmp_path / "a.toml").write_text(
        'HFT_GATEWAY_STARTUP_HOLDOFF_S = 9\n[replay]\nrecord = "digest"\n'
    )
    (tmp_path / "a.json").write_text(
        '{"replay.record": "digest", "HFT_GATEWAY_STARTUP_HOLDOFF_S": 9}'
    )
    found = {
        load_settings({}, NOTHING, tmp_path, f"a.{end}").hash for end in ("yaml", "toml", "json")
    }
    assert len(found) == 1
    assert found != {load_settings({}, NOTHING).hash}


def test_yaml_has_no_surprises() -> None:
    text = "a: off\nb: no\nc: 1:30\nd: 2024-08-08\ne: 010\nf: true\ng:\nh: 1e3\ni: '5'\nj: 1_000"
    assert load_yaml(text, "x") == {
        "a": "off",
        "b": "no",
        "c": "1:30",
        "d": "2024-08-08",
        "e": 10,
        "f": True,
        "g": None,
        "h": 1000.0,
        "i": "5",
        "j": 1000,
    }


def test_the_default_file_lists_every_key_with_its_default() -> None:
    path = ROOT / "config" / "default.yaml"
    text = path.read_text()
    with_file, without = load_settings({}, NOTHING), load_settings({}, NOTHING, Path("/nowhere"))
    assert with_file.hash == without.hash
    flat: dict[str, Any] = {}

    def flatten(data: dict[str, Any], above: str) -> None:
        for name, value in data.items():
            if isinstance(value, dict) and value:
                flatten(value, f"{above}{name}.")
            else:
                flat[f"{above}{name}"] = value

    flatten(read_mapping(path), "")
    plain = {key.name for key in KEYS if "*" not in key.name}
    assert {name for name, value in flat.items() if value != {}} == plain
    for key in KEYS:
        if "*" in key.name:
            field = key.name.rsplit(".", 1)[1]
            assert re.search(rf"<[a-z]+>:[^:]*\b{field}\b|\b{field}[,:]", text), key.name


def test_the_default_file_explains_every_key() -> None:
    lines = (ROOT / "config" / "default.yaml").read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"\s*[\w.]+: \S", line):
            above = [text.strip() for text in lines[max(0, number - 3) : number]]
            assert "#" in line or any(text.startswith("#") for text in above), line


def test_settings_are_frozen() -> None:
    found = load_settings({}, NOTHING)
    with pytest.raises(AttributeError):
        found.limits = "live"  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.limit_overrides["capital"] = 1  # type: ignore[index]


def test_equal_values_hash_equally_whatever_their_source() -> None:
    by_flag = load_settings({"HFT_GATEWAY_STARTUP_HOLDOFF_S": "60", "capital": "5000.0"}, NOTHING)
    by_environment = load_settings(
        {}, {"HFT_GATEWAY_STARTUP_HOLDOFF_S": "60", "HFT_CAPITAL": "5000"}
    )
    assert by_flag.hash == by_environment.hash != load_settings({}, NOTHING).hash


def test_the_shipped_instruments_are_usable() -> None:
    table = read_instruments()
    coin = table["binance-coinm:BTCUSD_PERP"]
    assert (coin.kind, coin.currency, coin.multiplier) == ("inverse", "BTC", 100)
    assert table["ESH4"].tick * table["ESH4"].multiplier == Decimal("12.5")
    assert find_instrument(table, "BTCUSDT", "binance-spot").tick == Decimal("0.01")  # type: ignore[union-attr]
    assert find_instrument(table, "AAPL", "nasdaq") is table["AAPL"]
    assert find_instrument(table, "BTCUSD_PERP") is coin
    assert find_instrument(table, "NOPE") is None
    with pytest.raises(ConfigError, match=r"ambiguous.*binance-spot:BTCUSDT"):
        find_instrument(table, "BTCUSDT")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ABC: {tick: '0.01'}", ["ABC", "lot is missing"]),
        ("ABC: {tick: '0.01', lot: x}", ["ABC.lot", "'x'"]),
        ("ABC: {tick: '0', lot: '1'}", ["ABC.tick", "positive"]),
        ("ABC: {tick: '0.01', lot: '1', colour: red}", ["ABC", "colour"]),
        ("ABC: 5", ["ABC", "mapping"]),
    ],
)
def test_a_bad_instrument_is_refused_by_name(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "instruments.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_instruments(path)
    assert all(word in str(caught.value) for word in [str(path), *words])


def test_a_limits_file_is_found_by_name_or_path(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("capital: 5\nstorm_guard: {feed_gap_s: off}\n")
    assert read_limits(mine) == {"capital": 5, "storm_guard": {"feed_gap_s": "off"}}
    with pytest.raises(ConfigError, match="reserch"):
        limits_path("reserch")


def test_the_files_of_hft_serve_where_there_is_no_workspace(tmp_path: Path) -> None:
    assert config_file("default.yaml", tmp_path) == ROOT / "config" / "default.yaml"
    workspace(tmp_path, "")
    assert config_file("default.yaml", tmp_path) == tmp_path / "config" / "default.yaml"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("currency: 5", ["X.currency", "5", "not text"]),
        ('calendar: ""', ["X.calendar", "not text"]),
        ("calendar: XYZ", ["calendar", "'XYZ'", "XNYS", "24/7"]),
        ("rate_per_s: x", ["X.rate_per_s", "'x'", "whole number"]),
        ("heartbeat_s: -4", ["X.heartbeat_s", "-4"]),
        ("maker_bps: 1e9", ["X.maker_bps", "basis points"]),
        ("kind: odd", ["X.kind", "linear"]),
    ],
)
def test_a_bad_field_of_an_instrument_names_file_and_line(
    tmp_path: Path, fields: str, words: list[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"A: {{tick: 1, lot: 1}}\nX: {{tick: 1, lot: 1, {fields}}}\n")
    with pytest.raises(ConfigError) as refused:
        read_instruments(file)
    text = str(refused.value)
    assert text.startswith(f"{file}: line 2: ") and all(word in text for word in words), text


LIMITS = ["max_position_size: 5 x touch", "risk:", "  missing_reference: refuse"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("max_order_size: 5", ["line 4", "unknown key", "max_order_size"]),
        ("  price_band_bps: -1", ["line 4", "risk.price_band_bps", "from 0 to 10000"]),
        ("  self_trade_mode: MAYBE", ["line 4", "risk.self_trade_mode", "REJECT_NEW"]),
        ("capital: [1, 2]", ["line 4", "capital", "not a number", "relative"]),
        ("max_daily_loss: true", ["line 4", "max_daily_loss", "True"]),
        ("max_daily_loss: -5", ["line 4", "max_daily_loss", "0 or more"]),
        ("max_daily_loss:", ["line 4", "max_daily_loss", "no value"]),
        ("max_daily_loss_x: 1.5", ["line 4", "max_daily_loss_x", "x 10000"]),
        ("max_position_size: 7", ["line 4", "twice"]),
        ("symbols.X.max_long: 0.5", ["line 4", "symbols.X.max_long", "whole number"]),
        ("HFT_DEDUP_TTL_S: 1e30", ["line 4", "HFT_DEDUP_TTL_S", "400000000"]),
        ("storm_guard.drawdown_pct: [-1, -2]", ["line 4", "drawdown_pct", "3 numbers"]),
        ("storm_guard.warm_threshold: 5", ["line 4", "warm_threshold", "0 or less"]),
        ("circuit_breaker_threshold: 7", ["line 4", "circuit_breaker_threshold", "0 to 1"]),
        ("name: [a]", ["line 4", "name", "not text"]),
    ],
)
def test_a_bad_limit_names_file_line_key_and_what_to_write(
    tmp_path: Path, line: str, words: list[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("\n".join([*LIMITS, line]) + "\n")
    with pytest.raises(ConfigError) as refused:
        read_limits(file)
    text = str(refused.value)
    assert text.startswith(str(file)) and all(word in text for word in words), text


@pytest.mark.parametrize(
    ("text", "word"), [("", "empty"), ("- 1\n", "list"), ("5\n", "value"), ("[" * 9000, "deep")]
)
def test_a_limits_file_that_is_no_mapping_says_so(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"mine\.yaml: .*{word}"):
        read_limits(tmp_path / "mine.yaml")


def test_a_bad_setting_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("replay:\n  cache: true\n  record: all\n")
    with pytest.raises(ConfigError, match=r"a\.yaml: line 3: replay\.record"):
        load_settings(environment={}, workspace=tmp_path, file="a.yaml")


@pytest.mark.parametrize("name", ["bench", "contract", "live", "research"])
def test_the_shipped_limits_pass_the_check(name: str) -> None:
    assert read_limits(name)["name"] == name
