"""What a validation is asked to do; everything in it that can move a figure is in its hash."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hft.core.errors import ConfigError
from hft.governance.profile import Profile
from hft.research.alphas.manifest import AlphaManifest
from hft.research.backtest import Rules
from hft.research.execution.latency import SIM_P95, LatencyProfile
from hft.research.measures.measurement import Options
from hft.research.rl.quotes import Quotes
from hft.statistics.multiplicity import Method

Engine = Literal["auto", "replay", "vector"]
Execution = Literal["taker", "maker", "quotes"]


@dataclass(frozen=True)
class Request:
    """One validation. `data` is paths, or a frame; `pytest_timeout_s` bounds the alpha's tests.

    `execution` "quotes" and `quotes` are of an alpha that is a policy with two quotes, and follow
    from it. `threshold` is the manifest's where it declares one, else 0.3. `correction` and
    `gate_f` are advice of the profile `base`: they move no figure and no verdict.
    """

    alpha_id: str
    data: Any
    profile: Profile
    engine: Engine = "auto"
    seed: int = 42
    skip_tests: bool = False
    is_oos_split: float = 0.7
    threshold: float | None = None
    max_position: float = 5.0
    taker_bps: float = 0.2
    maker_bps: float = -0.2
    execution: Execution = "taker"
    walk_forward_folds: int = 5
    pytest_timeout_s: int = 300
    latency: LatencyProfile = SIM_P95
    data_roots: Sequence[str] = ()
    correction: Method = "bh"
    gate_f: bool = False
    quotes: Quotes | None = None
    reentry: int = 0  # rollbacks of the alpha so far

    def __post_init__(self) -> None:
        """Raises: ConfigError for what would spend trials on nothing, or pay for every trade."""
        if self.max_position <= 0:
            raise ConfigError(
                f"max_position: {self.max_position!r} contracts can hold nothing; write more than 0"
            )
        if self.taker_bps < 0:
            raise ConfigError(
                f"taker_bps: {self.taker_bps!r} would earn on every trade; write the fee, 0 or more"
            )
        for name in ("maker_bps", "is_oos_split"):
            if not math.isfinite(value := getattr(self, name)):
                raise ConfigError(f"{name}: {value!r} is no finite number")
        self._rules(None)

    def _rules(self, declared: float | None) -> Rules:
        """The rule of positions. Raises: ConfigError for a number that it cannot use."""
        chosen = declared if self.threshold is None else self.threshold
        level = Rules().threshold if chosen is None else chosen
        return Rules(threshold=level, max_position=self.max_position, taker_bps=self.taker_bps)

    @property
    def by_replay(self) -> bool:
        """Are the figures those of replays? A queue decides what quotes earn."""
        return self.execution != "taker"

    def options(self, manifest: AlphaManifest) -> Options:
        """The options of the figures, for an alpha's horizon."""
        profile, rules = self.profile, self._rules(manifest.threshold)
        return Options(
            rules=rules,
            horizon_ns=manifest.horizon_ns,
            is_oos_split=self.is_oos_split,
            walk_forward_folds=self.walk_forward_folds,
            cpcv_folds=int(profile.number("gate_c.cpcv_folds")),
            cpcv_test_folds=int(profile.number("gate_c.cpcv_test_folds")),
            stress_factor=profile.number("gate_c.stress_factor"),
            latency_ns=self.latency.local_ns + self.latency.submit_ns,
            permutation_draws=int(profile.number("gate_b.permutation_draws_min")),
            seed=self.seed,
            execution=self.execution,
            maker_bps=self.maker_bps,
            capital=manifest.capital_a_contract,
            reentry=self.reentry,
            # Another threshold than the declared one was chosen later: all that could be are tried.
            declared=manifest.threshold is not None and rules.threshold == manifest.threshold,
        )
