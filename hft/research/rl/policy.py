"""Policies as plain arrays: the same numbers in, the same numbers out, on any day and machine.

Inference is a fixed order of sums in float64; nothing is sampled. Files hold arrays only.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import DataError
from hft.storage.atomic import write_atomic


@dataclass(frozen=True, eq=False)
class ArrayPolicy:
    """Layers of (matrix, bias) with tanh after each: features to actions within +-1.

    Raises: DataError when shapes do not follow each other or a weight is no number.
    """

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    def __post_init__(self) -> None:
        width = None
        for k, (matrix, bias) in enumerate(self.layers):
            fits = matrix.ndim == 2 and bias.shape == (matrix.shape[1],)
            if not fits or (width is not None and matrix.shape[0] != width):
                raise DataError(f"policy: layer {k} has another shape than the one before it")
            if not (np.isfinite(matrix).all() and np.isfinite(bias).all()):
                raise DataError(f"policy: layer {k} has a weight that is no number")
            width = matrix.shape[1]
        if not self.layers:
            raise DataError("policy: it has no layer")

    @property
    def shape(self) -> tuple[int, ...]:
        """Widths from features to actions."""
        return (self.layers[0][0].shape[0], *(matrix.shape[1] for matrix, _ in self.layers))

    def act(self, features: Any) -> np.ndarray:
        """The action for one row of features, float64."""
        value = np.asarray(features, np.float64)
        for matrix, bias in self.layers:
            # Sums in a fixed order: a library's product may differ from machine to machine.
            value = np.tanh((value[:, None] * matrix).sum(axis=0) + bias)
        return value

    def flat(self) -> np.ndarray:
        """All weights in one row; `unflat` is the inverse."""
        return np.concatenate([part.ravel() for layer in self.layers for part in layer])

    @classmethod
    def unflat(cls, shape: Sequence[int], weights: Any) -> "ArrayPolicy":
        """A policy of these widths. Raises: DataError for another number of weights."""
        rest = np.asarray(weights, np.float64).ravel()
        layers, at = [], 0
        for rows, columns in pairwise(shape):
            matrix = rest[at : at + rows * columns]
            bias = rest[at + rows * columns : at + (rows + 1) * columns]
            at += (rows + 1) * columns
            if len(bias) == columns:
                layers.append((matrix.reshape(rows, columns), bias))
        if at != len(rest) or len(layers) != len(shape) - 1:
            raise DataError(f"policy: {len(rest)} weights for widths {tuple(shape)}, wanted {at}")
        return cls(tuple(layers))

    @classmethod
    def zeros(cls, *shape: int) -> "ArrayPolicy":
        """A policy that answers 0."""
        count = sum((a + 1) * b for a, b in pairwise(shape))
        return cls.unflat(shape, np.zeros(count))

    def save(self, path: Path) -> Path:
        """Write an .npz of shape and weights, whole or not at all."""
        buffer = io.BytesIO()
        np.savez(buffer, shape=np.array(self.shape, np.int64), weights=self.flat())
        write_atomic(path, buffer.getvalue())
        return path

    @classmethod
    def load(cls, path: Path) -> "ArrayPolicy":
        """Read what `save` wrote. Raises: DataError naming the file."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
                shape, weights = stored["shape"].tolist(), stored["weights"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{path}: is no policy of arrays ({type(error).__name__})") from None
        return cls.unflat(shape, weights)
