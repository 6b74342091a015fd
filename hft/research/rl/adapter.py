"""A policy as an alpha: named fields in, one score between -1 and 1 out.

Fields that are absent or no number count as 0 and are counted; without a model the score is the
mean of the fields. The score is clipped to +-`clip` and divided by it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hft.core.errors import ConfigError

Model = Callable[[np.ndarray], Any]


class PolicyAlpha:
    """`update(**tick)`, `reset`, `get_signal` of the alpha protocol over a model of arrays.

    `manifest` is the alpha's own, tier RL. `model` maps float64 features to one number, or to
    several, whose mean counts.
    """

    def __init__(
        self,
        manifest: Any,
        fields: Sequence[str],
        model: Model | None = None,
        *,
        clip: float = 1.0,
    ) -> None:
        if not fields:
            raise ConfigError("policy alpha: it needs at least one field")
        if not (np.isfinite(clip) and clip > 0):
            raise ConfigError(f"clip: {clip!r} is not a number > 0")
        self._manifest, self.fields, self.model, self.clip = manifest, tuple(fields), model, clip
        self.bad_values = 0
        self._signal = 0.0

    @property
    def manifest(self) -> Any:
        """The alpha's own."""
        return self._manifest

    def reset(self) -> None:
        """Forget the last signal and the count of bad values."""
        self.bad_values, self._signal = 0, 0.0

    def features(self, tick: dict[str, Any]) -> np.ndarray:
        """The fields in order, float64. Mutates: `bad_values`."""
        out = np.zeros(len(self.fields))
        for k, name in enumerate(self.fields):
            try:
                value = float(tick[name])
            except (KeyError, TypeError, ValueError):
                value = float("nan")
            if np.isfinite(value):
                out[k] = value
            else:
                self.bad_values += 1
        return out

    def update(self, **tick: Any) -> float:
        """The score of one tick."""
        features = self.features(tick)
        score = float(np.mean(features if self.model is None else self.model(features)))
        if not np.isfinite(score):
            self.bad_values += 1
            score = 0.0
        self._signal = min(max(score, -self.clip), self.clip) / self.clip
        return self._signal

    def get_signal(self) -> float:
        """The last score."""
        return self._signal
