"""R's rnorm after set.seed: Mersenne twister and inversion, to repeat a printed R session."""

import numpy as np
from scipy.special import ndtri


def r_normals(seed: int, count: int) -> np.ndarray:
    """The first `count` values of rnorm after set.seed(seed)."""
    state, words = seed, []
    for step in range(50 + 625):
        state = (69069 * state + 1) % 2**32
        if step > 50:
            words.append(state)
    twister = np.random.MT19937()
    twister.state = {
        "bit_generator": "MT19937",
        "state": {"key": np.array(words, dtype=np.uint32), "pos": 624},
    }
    uniform = np.array(twister.random_raw(2 * count)) * 2.3283064365386963e-10
    big = 134217728.0
    return ndtri((np.floor(big * uniform[0::2]) + uniform[1::2]) / big)
