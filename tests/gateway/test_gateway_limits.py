"""Limit sets: text to integers, refusals that name instrument and key, files that round-trip."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from hft.api import replays as api
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.gateway.figures import max_price_ticks
from hft.gateway.fitted import fitted
from hft.gateway.limits import KEYS, Limits
from hft.gateway.relative import evaluate
from hft.gateway.resolve import ResolvedLimits, resolve
from hft.runs.limits import save

BTC = Instrument("BTC", Decimal("0.1"), Decimal("0.001"), currency="USDT")
PERP = Instrument(
    "BTCUSD", Decimal("0.1"), Decimal(1), multiplier=Decimal(100), currency="BTC", kind="inverse"
)
TAPE = {
    "first_mid": 600_000,
    "touch_lots_median": 4_000,
    "spread_ticks_median": 3,
    "gap_ns_p999": 500_000_000,
}


load = api.Limits.load


def resolved(limits: Limits, instrument: Instrument = BTC, **keys: object) -> ResolvedLimits:
    return resolve(limits.replace(**keys) if keys else limits, [instrument], [TAPE])


def test_the_contract_file_has_the_numbers_of_the_contract() -> None:
    found = resolved(load("contract"))
    row, config = found.instruments[0], found.config[0]
    assert (row["band_ticks"], row["order_size_max"], row["long_max"]) == (20, 10, 10)
    assert row["price_cap"] == 50_000  # 5000.0 on a tick of 0.1
    assert row["reference_age_ns"] == row["feed_gap_ns"] == 10**9
    assert (found.rate_per_s, found.rate_per_min) == (100, 1000)
    scale = config["capital_money"] // 50_000_000
    assert config["daily_loss_max"] == 100_000 * scale
    losses = [config[f"storm_{level}_money"] // scale for level in ("warm", "storm", "halt")]
    assert losses == [200_000, 500_000, 1_000_000]
    drawn = [config[f"drawdown_{level}_ppm"] for level in ("warm", "storm", "halt")]
    assert drawn == [5_000, 10_000, 20_000]
    assert config["breaker_move_bps"] == 500
    assert (config["repeated_count"], config["repeated_window_ns"]) == (20, 10**9)


def test_the_research_file_is_relative_to_instrument_and_tape() -> None:
    row = resolved(load("research")).instruments[0]
    assert row["long_max"] == 50 * 4_000
    assert row["order_size_max"] == 5 * 4_000
    assert row["band_ticks"] == 20 * 3
    assert row["price_cap"] == 10 * 600_000
    assert row["feed_gap_ns"] == 2_500_000_000
    thin = resolve(load("research"), [BTC], [TAPE | {"touch_lots_median": 1}]).instruments[0]
    assert (thin["long_max"], thin["order_size_max"]) == (100, 10)


def test_capital_and_what_hangs_on_it() -> None:
    found = resolved(load("research"))
    capital = 200_000 * 60_000 // 1000  # lots x price x lot size
    scale = found.config[0]["capital_money"] // capital
    assert found.config[0]["capital_money"] == capital * scale
    assert found.config[0]["daily_loss_max"] == capital * scale // 5
    assert found.instruments[0]["notional_max"] == 2 * capital * scale


def test_inverse_capital_is_in_the_coin_and_its_notional_in_quote() -> None:
    found = resolved(load("research"), PERP)
    coins = Fraction(200_000 * 100, 60_000)
    assert found.config[0]["capital_money"] == int(coins * 10**8)
    assert found.instruments[0]["notional_max"] == 2 * 200_000 * 100 * 10**8
    assert found.default_strategy["order_notional_max"] == found.instruments[0]["notional_max"]


def test_a_bound_of_the_whole_run_takes_the_capital_in_quote_currency() -> None:
    keys = {
        "HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL": "1 x capital",
        "strategies.mm.max_notional": "50 % capital",
    }
    found = resolve(load("research").replace(**keys), [PERP], [TAPE], strategies=["mm"])
    quote = 200_000 * 100 * 10**8
    assert found.config[0]["global_notional_max"] == quote
    assert found.strategies[0]["notional_max"] == quote // 2
    linear = resolve(load("research").replace(**keys), [BTC], [TAPE], strategies=["mm"])
    assert linear.config[0]["global_notional_max"] == linear.config[0]["capital_money"]


def test_live_refuses_to_start_without_what_must_be_given() -> None:
    with pytest.raises(ConfigError, match=r"limits live: instruments\.BTC\.max_price.*given"):
        resolved(load("live"))
    with pytest.raises(ConfigError, match=r"max_position_size for BTC.*given"):
        resolved(load("live"), **{"instruments.BTC.max_price": 100_000})


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"max_position_size": 10**15}, r"BTC: max_position_size .* could overflow"),
        ({"instruments.BTC.max_price": "1e15"}, r"BTC: instruments\.BTC\.max_price .* overflow"),
        ({"max_daily_loss": 10**18}, r"max_daily_loss.* could overflow"),
        ({"risk_limits.max_notional": 10**18}, r"max_notional for BTC.* could overflow"),
    ],
)
def test_a_limit_that_could_overflow_is_refused_by_name(keys: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolved(load("research"), **keys)


def test_proven_bounds_keep_every_product_in_range() -> None:
    for name in ("contract", "research", "bench"):
        for instrument in (BTC, PERP):
            found = resolve(load(name), [instrument], [TAPE])
            row = found.instruments[0]
            assert row["price_bound"] >= 4 * found.max_price[0]
            money = int(row["price_bound"]) * int(row["qty_bound"])
            assert money < 1 << 62
            assert int(row["qty_bound"]) >= 4 * int(row["long_max"])


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("off", None),
        (12, 12),
        ("0.5", Fraction(1, 2)),
        ("5 x touch", 20),
        ("20 % capital", 200),
        ("max(100 lots, 50 x touch)", 200),
        ("min(100 lots, 50 x touch)", 100),
        ("max(1 s, 5 x missing)", 1),
        ("250 ms", Fraction(1, 4)),
        ("2 x missing", None),
    ],
)
def test_relative_values(text: object, worth: object) -> None:
    words = {"touch": Fraction(4), "capital": Fraction(1000), "missing": None}
    assert evaluate(text, words, "here") == worth


@pytest.mark.parametrize("text", ["given", "5 x moon", "5 bananas", "max(", "x touch"])
def test_text_that_is_no_limit_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ConfigError, match="limits mine: key"):
        evaluate(text, {"touch": Fraction(1)}, "limits mine: key")


def test_the_scaled_alias_is_the_same_value_and_not_both() -> None:
    plain = Limits.from_dict({"max_daily_loss": "100000"})
    scaled = Limits.from_dict({"max_daily_loss_x": 1_000_000_000})
    assert plain.values == scaled.values and plain.hash == scaled.hash
    with pytest.raises(ConfigError, match="max_daily_loss is written twice"):
        Limits.from_dict({"max_daily_loss": 1, "max_daily_loss_x": 10_000})


def test_unknown_keys_are_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(ConfigError, match="did you mean max_daily_loss"):
        Limits.from_dict({"max_dayly_loss": 1})
    with pytest.raises(ConfigError, match="write a number in lots, not True"):
        Limits.from_dict({"max_position_size": True})


def test_replace_and_diff() -> None:
    base = load("contract")
    changed = base.replace(max_position_size=20, risk__price_band_ticks=5)
    assert base.diff(changed) == {
        "max_position_size": (10, 20),
        "risk.price_band_ticks": (20, 5),
    }
    assert changed.hash != base.hash
    assert base.replace(max_position_size=10).hash == base.hash
    assert base.replace(price_band_ticks=7).get("risk.price_band_ticks") == 7


def test_the_hash_of_resolved_limits_follows_every_number() -> None:
    base = resolved(load("research"))
    assert resolved(load("research")).hash == base.hash
    for keys in (
        {"max_position_size": 7},
        {"max_daily_loss": 1},
        {"storm_guard.latency_ms": [1, 2]},
    ):
        assert resolved(load("research"), **keys).hash != base.hash


def test_off_checks_nothing() -> None:
    row = resolved(Limits.off()).instruments[0]
    off = (
        "price_cap",
        "band_ticks",
        "reference_age_ns",
        "order_size_max",
        "long_max",
        "notional_max",
    )
    assert [row[name] for name in off] == [-1] * len(off)
    assert row["band_bps"] == 0


def test_a_symbols_own_limits_win_over_the_general_ones() -> None:
    keys = {"symbols.BTC.max_long": 7, "symbols.*.max_short": 8, "symbols.BTC.restricted": True}
    row = resolved(load("contract"), **keys).instruments[0]
    assert (row["long_max"], row["short_max"], row["order_size_max"]) == (7, 8, 10)
    assert row["restricted"] == 1


def test_a_strategys_own_limits_hold_for_it_alone() -> None:
    limits = load("contract").replace(
        **{"strategies.mm.max_notional": 1000, "risk.strategy.mm.max_order_notional": 10}
    )
    found = resolve(limits, [BTC], [TAPE], strategies=["mm", "other"])
    scale = found.config[0]["capital_money"] // 50_000_000
    assert found.strategy_row(0)["notional_max"] == 1000 * scale
    assert found.strategy_row(0)["order_notional_max"] == 10 * scale
    assert found.strategy_row(1)["notional_max"] == 0
    assert found.strategy_row(1)["order_notional_max"] == 10_000_000 * scale


def test_limits_of_every_strategy_hold_for_each_that_has_none_of_its_own() -> None:
    keys = {"max_notional": 1000, "max_leaf_notional": 500, "max_net_qty": 4, "critical": False}
    every = {f"strategies.*.{key}": value for key, value in keys.items()}
    own = {"strategies.mm.max_net_qty": 9, "risk.strategy.*.max_order_notional": 10}
    found = resolve(load("contract").replace(**every, **own), [BTC], [TAPE], strategies=["mm", "b"])
    scale = found.config[0]["capital_money"] // 50_000_000
    for k, net in enumerate((9, 4)):
        row = found.strategy_row(k)
        assert (row["notional_max"], row["leaf_notional_max"]) == (1000 * scale, 500 * scale)
        assert row["order_notional_max"] == 10 * scale
        assert (row["net_qty_max"], row["critical"]) == (net, 0)


def test_max_price_needs_a_value_or_a_tape() -> None:
    assert max_price_ticks(load("research"), BTC, TAPE) == 6_000_000
    with pytest.raises(ConfigError, match="BTC: no max_price and no tape"):
        max_price_ticks(load("research"), BTC, None)


def test_a_fitted_set_is_explicit_and_survives_its_file(tmp_path: Path) -> None:
    limits = fitted(load("research"), [BTC], [TAPE], Fraction(100_000))
    path = save(limits, tmp_path / "fit.yaml")
    assert load(path).values == limits.values
    found = resolve(limits, [BTC], [None])
    assert found.instruments[0]["long_max"] == int(200_000 * Fraction(100_000, 12_000_000))
    scale = resolved(load("research")).config[0]["capital_money"] // 12_000_000
    assert found.config[0]["capital_money"] == 100_000 * scale


def test_every_file_states_known_keys_and_loads_by_name() -> None:
    for name in ("contract", "research", "bench", "live"):
        limits = load(name)
        assert limits.name == name
        assert limits.values
    with pytest.raises(ConfigError, match="bench, contract, live, research"):
        load("reserch")
    assert len({key.name for key in KEYS}) == len(KEYS)


def test_an_unquoted_off_in_yaml_is_off(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("max_daily_loss: off\nbreaker.close_on_trip: off\n")
    limits = load(tmp_path / "mine.yaml")
    assert limits.get("max_daily_loss") == "off"
    assert limits.get("breaker.close_on_trip") is False
