"""The environment: gymnasium's own checker, the same episode twice, and the sealed run of it."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from hft.core.errors import ConfigError, InvariantError
from hft.research.rl.environment import ID, MarketMaking
from hft.research.rl.episode import Episode, Market
from hft.research.rl.quoting import FEATURES, Eyes, Quoting, offset
from hft.runs.venues import Venue
from hft.tape.dataset import Tapes

SECOND = 1_000_000_000


def made(tapes: Tapes, **given: Any) -> MarketMaking:
    return MarketMaking(tapes, **({"steps": 120} | given))


def actions(count: int, seed: int = 0) -> np.ndarray:
    stream = np.random.Generator(np.random.Philox(seed))
    return stream.uniform(-1, 1, (count, 2)).astype(np.float32)


def played(env: MarketMaking, seed: int, moves: np.ndarray) -> list[tuple[Any, ...]]:
    first, info = env.reset(seed=seed)
    rows: list[tuple[Any, ...]] = [(first.tobytes(), 0.0, tuple(info.items()))]
    for move in moves:
        seen, reward, terminated, truncated, info = env.step(move)
        rows.append((seen.tobytes(), reward, tuple(info.items())))
        if terminated or truncated:
            break
    return rows


def test_it_passes_the_checker_of_gymnasium(tapes: Tapes) -> None:
    name = f"hft.research.rl.environment:{ID}"
    env = gymnasium.make(name, tapes=tapes, steps=50)
    check_env(env.unwrapped)
    assert env.spec is not None and env.spec.id == ID


def test_a_seed_and_actions_give_the_same_episode_to_the_last_bit(tapes: Tapes) -> None:
    env, other = made(tapes), made(tapes)
    moves = actions(200)
    first = played(env, 3, moves)
    assert first == played(env, 3, moves) == played(other, 3, moves)
    assert first[-1] != played(env, 4, moves)[-1], "another seed begins elsewhere"
    assert len(first) == 121


def test_the_sealed_run_of_an_episode_has_its_digest_and_its_profit(
    tapes: Tapes, tmp_path: Path
) -> None:
    env = made(tapes, steps=600, venue=Venue(latency=("uniform", 1_000_000, 4_000_000)))
    rows = played(env, 7, np.clip(actions(700, 2) + 0.4, -1, 1))
    info = dict(rows[-1][2])
    run = env.sealed(tmp_path, record="full")
    assert run.digest == info["digest"]
    assert run.verify().same
    assert info["fills"] == run.fills.height > 5
    assert info["decisions"] == run.decisions.height
    net = run.metrics.get_value("net")
    assert sum(row[1] for row in rows) == pytest.approx(net, abs=1e-9)
    assert info["equity"] == pytest.approx(net, abs=1e-9)


def test_quotes_pass_the_gateway_and_a_refusal_is_counted(tapes: Tapes) -> None:
    from hft.gateway.limits import Limits

    tight = Limits().replace(**{"symbols.*.max_order_size": 1})
    env = made(tapes, lots=3, max_lots=6, limits=tight)
    info = dict(played(env, 1, np.ones((120, 2), np.float32))[-1][2])
    assert info["refused"] > 0 and info["fills"] == 0 and info["equity"] == 0.0


def test_withdrawn_quotes_do_nothing_and_earn_nothing(tapes: Tapes) -> None:
    env = made(tapes)
    rows = played(env, 1, np.full((120, 2), -1.0, np.float32))
    info = dict(rows[-1][2])
    assert (info["decisions"], info["fills"], info["equity"]) == (0, 0, 0.0)
    assert all(row[1] == 0.0 for row in rows)


def test_the_position_stays_within_its_limit(tapes: Tapes) -> None:
    env = made(tapes, steps=1_000, max_lots=2)
    rows = played(env, 2, np.full((1_000, 2), [1.0, -1.0], np.float32))
    positions = [dict(row[2])["position"] for row in rows]
    assert max(positions) == 2 and min(positions) == 0, "it bids only, and stops at two"


def test_an_episode_ends_after_its_steps_or_with_the_tape(tapes: Tapes) -> None:
    env = made(tapes, steps=10)
    env.reset(seed=0)
    ends = [env.step(actions(1)[0])[2:4] for _ in range(10)]
    assert ends[:-1] == [(False, False)] * 9 and ends[-1] == (False, True)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(actions(1)[0])
    last = tapes.span[1]
    env.reset(seed=0, options={"start_ns": last - 5 * SECOND})
    over: list[tuple[bool, bool]] = []
    while not over or over[-1] == (False, False):
        over.append(env.step(actions(1)[0])[2:4])
    assert over[-1] == (True, False) and 3 <= len(over) <= 5


def test_starts_are_drawn_over_the_tape(tapes: Tapes) -> None:
    env = made(tapes, steps=60)
    starts = {env.reset(seed=seed)[1]["ts_ns"] for seed in range(20)}
    first, last = tapes.span
    assert len(starts) > 15
    assert min(starts) < first + (last - first) // 3 and max(starts) > last - (last - first) // 3


def test_wrong_arguments_are_sentences(tapes: Tapes, tmp_path: Path) -> None:
    for wrong, said in (
        ({"steps": 0}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"lots": 0}, "lots"),
        ({"lots": 3, "max_lots": 2}, "more than the position may be"),
        ({"reward_scale": float("nan")}, "reward_scale"),
        ({"reward_scale": float("inf")}, "reward_scale"),
        ({"reward_scale": 0.0}, "reward_scale"),
        ({"reward_scale": "1"}, "reward_scale"),
        ({"every": 0}, "every"),
        ({"render_mode": "human"}, "render_mode"),
        ({"venue": "mars"}, "mars"),
        ({"tapes": str(tmp_path / "none")}, "no such file"),
    ):
        with pytest.raises(ConfigError, match=said):
            MarketMaking(**({"tapes": tapes} | wrong))  # type: ignore[arg-type]
    env = made(tapes)
    with pytest.raises(ConfigError, match="not over"):
        env.sealed(tmp_path)
    with pytest.raises(ConfigError, match="begin earlier"):
        env.reset(options={"start_ns": tapes.span[1] - 1})
    with pytest.raises(ConfigError, match="start_ns: 'noon'"):
        env.reset(options={"start_ns": "noon"})
    with pytest.raises(InvariantError):
        _ = Episode(env.market, tapes.span).digest


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ([np.nan, 0.0], "bid is nan"),
        ([0.0, -np.inf], "ask is -inf"),
        ([0.0], r"shape \(1,\) is not two numbers"),
        ([[0.0, 0.0]], r"shape \(1, 2\) is not two numbers"),
        (0.5, r"shape \(\) is not two numbers"),
        ("join", "'join' is not two numbers"),
        ([0.0, [1.0]], "is not two numbers"),
    ],
)
def test_an_action_that_is_none_is_refused_and_the_episode_goes_on(
    tapes: Tapes, action: Any, said: str
) -> None:
    env = made(tapes, steps=3)
    _, before = env.reset(seed=0)
    with pytest.raises(ConfigError, match=said):
        env.step(action)
    assert env.episode is not None and env.episode.actions == []
    *_, info = env.step([0.5, 0.5])
    assert info["ts_ns"] == before["ts_ns"] + SECOND


def test_features_are_bounded_numbers_and_what_they_say(market: Market, tapes: Tapes) -> None:
    first = tapes.span[0]
    episode = Episode(market, (first, first + 300 * SECOND))
    eyes = Eyes(5)
    while not episode.over:
        seen, view = episode.observation, episode.view
        assert seen.dtype == np.float32 and len(seen) == len(FEATURES)
        assert np.isfinite(seen).all() and (np.abs(seen) <= 10).all()
        again = eyes.look(view)
        assert again[:4].tolist() == seen[:4].tolist()
        assert seen[0] == np.float32(view.position / 5)
        assert seen[2] == np.float32(view.spread_ticks / 10)
        episode.act(0.5, 0.5)


def test_an_action_steps_back_from_the_touch_until_there_is_no_quote() -> None:
    found = [offset(value, 4) for value in (1.0, 2.0, 0.7, 0.3, 0.0, -0.3, -0.7, -1.0, -9.0)]
    assert found == [0, 0, 0, 1, 2, 3, 4, 4, 4]
    assert offset(float("nan"), 4) == 4, "no number is no quote"
    with pytest.raises(ConfigError, match="depth"):
        Quoting(depth=0)
