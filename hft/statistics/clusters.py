"""Optimal number of clusters of a correlation matrix: k-means judged by its silhouettes.

Distance is sqrt((1 - C) / 2); a series is the row of its distances to all others. Each k starts
from Ward's tree (no randomness) and, near the best k, from seeded centres too. The quality is mean
over sd of the silhouettes; clusters of less than average quality are clustered again among
themselves, and that is kept only when it is better.
Source: Lopez de Prado and Lewis (2019); Lopez de Prado, "Machine Learning for Asset Managers", 4.
"""

from dataclasses import dataclass

import numpy as np

from hft.statistics.series import generator

_ITERATIONS = 15
# Every k is tried up to here, and beyond in steps of an eighth.
_EVERY = 32
# How many ks around the best start again from seeded centres, and how often each.
_AGAIN, _STARTS = 3, 3


@dataclass(frozen=True, slots=True)
class Clusters:
    """Labels 0..n - 1 by first appearance; `quality` is mean over sd of the silhouettes."""

    labels: np.ndarray
    n: int
    quality: float


def cluster(corr: np.ndarray, seed: int = 0) -> Clusters:
    """ONC of a correlation matrix; series that move as one are one point of it.

    Twins first: their silhouettes of exactly 1 would make every pair of twins a cluster.
    """
    first = (corr > 1.0 - 1e-9).argmax(axis=1)
    alone, twin = np.unique(first, return_inverse=True)
    inner = corr[np.ix_(alone, alone)]
    if len(alone) < 3:
        labels, quality = _few(inner), 0.0
    else:
        labels, quality = _base(inner, seed)
        labels, quality = _refined(inner, labels, quality, seed)
    labels = _numbered(labels[twin])
    return Clusters(labels, int(labels.max()) + 1, quality)


def group(points: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Seeded k-means of rows, for gathering very many series into at most k groups."""
    rng = generator(seed, 2)
    centres = points[np.sort(rng.choice(len(points), size=min(k, len(points)), replace=False))]
    return _numbered(_lloyd(points, centres, iterations=10))


def silhouettes(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Silhouette of every row, Euclidean; 0 for a cluster of one."""
    return _silhouettes(_distances(points), labels)


def _few(corr: np.ndarray) -> np.ndarray:
    """Two series are one cluster from correlation 1/2 on; identical ones always are."""
    if len(corr) == 2 and corr[0, 1] < 0.5:
        return np.array([0, 1])
    return np.zeros(len(corr), dtype=np.int64)


def _base(corr: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """The best k-means over every k."""
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform

    points = np.sqrt(np.clip((1.0 - corr) / 2.0, 0.0, None))
    distances = _distances(points)
    ks = _ladder(len(corr))
    tree = cut_tree(linkage(squareform(distances, checks=False), "ward"), n_clusters=ks)
    tried: dict[int, tuple[float, np.ndarray]] = {}
    for column, k in enumerate(ks):
        tried[k] = _judged(points, distances, _centres(points, tree[:, column]))
    best = sorted(ks, key=lambda k: (-tried[k][0], k))[:_AGAIN]
    rng, squares = generator(seed, 3), distances**2
    for k in best:
        for _ in range(_STARTS):
            again = _judged(points, distances, _spread(points, squares, k, rng))
            if again[0] > tried[k][0]:
                tried[k] = again
    quality, labels = min(((tried[k][0], tried[k][1]) for k in best), key=lambda pair: -pair[0])
    return _numbered(labels), quality


def _ladder(size: int) -> list[int]:
    """The numbers of clusters that are tried for `size` series."""
    ks = list(range(2, min(_EVERY, size - 1) + 1))
    while ks[-1] < size - 1:
        ks.append(min(ks[-1] + ks[-1] // 8, size - 1))
    return ks


def _refined(
    corr: np.ndarray, labels: np.ndarray, quality: float, seed: int
) -> tuple[np.ndarray, float]:
    """Cluster the poor clusters again; keep it when the mean quality of clusters rises."""
    points = np.sqrt(np.clip((1.0 - corr) / 2.0, 0.0, None))
    distances = _distances(points)
    scores = _cluster_quality(_silhouettes(distances, labels), labels)
    poor = np.flatnonzero(scores < scores.mean())
    members = np.flatnonzero(np.isin(labels, poor))
    if len(poor) < 2 or len(members) < 4 or len(poor) == len(scores):
        return labels, quality
    inner, _ = _base(corr[np.ix_(members, members)], seed)
    inner, _ = _refined(corr[np.ix_(members, members)], inner, 0.0, seed)
    joined = labels.copy()
    joined[members] = labels.max() + 1 + inner
    joined = _numbered(joined)
    silhouette = _silhouettes(distances, joined)
    if _cluster_quality(silhouette, joined).mean() <= scores.mean():
        return labels, quality
    return joined, _quality(silhouette)


def _judged(
    points: np.ndarray, distances: np.ndarray, centres: np.ndarray
) -> tuple[float, np.ndarray]:
    labels = _numbered(_lloyd(points, centres, _ITERATIONS))
    if labels.max() == 0:
        return -np.inf, labels
    return _quality(_silhouettes(distances, labels)), labels


def _lloyd(points: np.ndarray, centres: np.ndarray, iterations: int) -> np.ndarray:
    labels = np.full(len(points), -1)
    for _ in range(iterations):
        nearest = ((centres**2).sum(axis=1) - 2.0 * points @ centres.T).argmin(axis=1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        centres = _centres(points, labels)
    return labels


def _centres(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean row of every label that has members."""
    order = np.argsort(labels, kind="stable")
    _, first, count = np.unique(labels[order], return_index=True, return_counts=True)
    return np.add.reduceat(points[order], first, axis=0) / count[:, None]


def _spread(
    points: np.ndarray, squares: np.ndarray, k: int, rng: np.random.Generator
) -> np.ndarray:
    """Seeded centres far from each other (k-means++); `squares` are the squared distances."""
    chosen = [int(rng.integers(len(points)))]
    reach = squares[chosen[0]]
    for _ in range(k - 1):
        total = np.cumsum(reach)
        if total[-1] <= 0.0:
            break
        chosen.append(int(np.searchsorted(total, rng.random() * total[-1])))
        reach = np.minimum(reach, squares[chosen[-1]])
    return points[chosen]


def _distances(points: np.ndarray) -> np.ndarray:
    length = (points**2).sum(axis=1)
    square = length[:, None] + length[None, :] - 2.0 * points @ points.T
    np.fill_diagonal(square, 0.0)
    return np.sqrt(np.clip(square, 0.0, None))


def _silhouettes(distances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    k = int(labels.max()) + 1
    rows = np.arange(len(labels))
    member = np.zeros((len(labels), k))
    member[rows, labels] = 1.0
    count = member.sum(axis=0)
    total = distances @ member
    own = count[labels]
    inside = total[rows, labels] / np.maximum(own - 1.0, 1.0)
    mean = total / count
    mean[rows, labels] = np.inf
    outside = mean.min(axis=1)
    larger = np.maximum(inside, outside)
    value = np.where(larger > 0.0, (outside - inside) / np.where(larger > 0.0, larger, 1.0), 0.0)
    return np.where(own > 1.0, value, 0.0)


def _quality(values: np.ndarray) -> float:
    sd = float(values.std())
    return float(values.mean()) / sd if sd > 0.0 else float(np.sign(values.mean())) * 1e9


def _cluster_quality(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.array([_quality(values[labels == label]) for label in range(int(labels.max()) + 1)])


def _numbered(labels: np.ndarray) -> np.ndarray:
    """Labels 0, 1, ... in the order they first appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[inverse]
