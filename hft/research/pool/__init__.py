"""The pool: how the signals and returns of the alphas there are belong together.

`members` reads them, `matrix` correlates, `weights` mixes, `marginal` asks what one more adds.
"""

from hft.research.pool.marginal import Marginal, marginal
from hft.research.pool.matrix import Matrix, PoolMax, matrix, pool_correlation_max, redundant
from hft.research.pool.members import Member, Pool, read_pool
from hft.research.pool.weights import METHODS, Weights, weights

__all__ = [
    "METHODS",
    "Marginal",
    "Matrix",
    "Member",
    "Pool",
    "PoolMax",
    "Weights",
    "marginal",
    "matrix",
    "pool_correlation_max",
    "read_pool",
    "redundant",
    "weights",
]
