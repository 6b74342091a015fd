"""The dear statistics of a search beside their peers, alternated in one process on one thread.

`python -m benchmarks.statistics` prints seconds and ratios (theirs over ours; above 1 ours is
quicker): the probability of backtest overfitting over all 12870 splits of 16 blocks beside
`vetted`, and the clusters of 300 series beside scikit-learn's k-means at every count with its
silhouette, which is the search for the number of clusters that ours does.
"""

import time
from collections.abc import Callable

import numpy as np
from vetted.overfitting import pbo

from benchmarks.measure import Series
from hft.statistics.overfitting import cscv
from hft.statistics.trials import effective_trials

ROUNDS = 5
ROWS = 1000


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def clusters_by_sklearn(panel: np.ndarray) -> int:
    """The number of clusters with the best silhouette of correlation distances."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    distance = np.sqrt(np.clip((1.0 - np.corrcoef(panel, rowvar=False)) / 2.0, 0.0, None))
    scores = {}
    for count in range(2, panel.shape[1] // 2, 10):
        labels = KMeans(count, n_init=1, random_state=0).fit_predict(distance)
        scores[count] = silhouette_score(distance, labels)
    return max(scores, key=lambda count: scores[count])


def main() -> None:
    """Measure and print, a line a statistic."""
    draw = np.random.default_rng(0)
    tries, series = draw.standard_normal((ROWS, 20)), draw.standard_normal((ROWS, 300))
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "PBO, 20 tries, 16 blocks, vetted": (
            lambda: cscv(tries, blocks=16),
            lambda: pbo(tries, n_blocks=16),
        ),
        "clusters of 300 series, scikit-learn (every tenth count)": (
            lambda: effective_trials(series),
            lambda: clusters_by_sklearn(series),
        ),
    }
    for name, (ours, theirs) in pairs.items():
        ours()
        times = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
        mine = Series(tuple(pair[0] for pair in times))
        ratio = Series(tuple(pair[1] / pair[0] for pair in times))
        print(
            f"{name}: ours {mine.median:.2f} s [{mine.low:.2f} .. {mine.high:.2f}], "
            f"ratio {ratio.median:.1f} [{ratio.low:.1f} .. {ratio.high:.1f}]"
        )


if __name__ == "__main__":
    main()
