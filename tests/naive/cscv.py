"""CSCV as the paper tells it: walk every half, rank every column, count."""

from itertools import combinations

import numpy as np


def naive_cscv(matrix: np.ndarray, blocks: int, purge: int = 0) -> tuple[float, list[float]]:
    """PBO and the logits of a T x N matrix, one split at a time."""
    pieces = np.array_split(np.arange(len(matrix)), blocks)
    pieces = [piece[: len(piece) - purge] for piece in pieces]
    logits = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([pieces[b] for b in chosen])
        outside = np.concatenate([pieces[b] for b in range(blocks) if b not in chosen])
        best, best_ratio = 0, -np.inf
        for column in range(matrix.shape[1]):
            r = matrix[inside, column]
            if r.mean() / r.std(ddof=1) > best_ratio:
                best, best_ratio = column, r.mean() / r.std(ddof=1)
        later = [
            matrix[outside, c].mean() / matrix[outside, c].std(ddof=1)
            for c in range(matrix.shape[1])
        ]
        smaller = sum(x < later[best] for x in later)
        equal = sum(x == later[best] for x in later)
        omega = (smaller + (equal + 1) / 2) / (matrix.shape[1] + 1)
        logits.append(float(np.log(omega / (1 - omega))))
    return sum(x <= 0 for x in logits) / len(logits), logits
