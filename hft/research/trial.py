"""One trial: what was evaluated, on which data, by which code, and what its returns look like.

It decides which evaluations are the same one: the id is a hash of canonical form, data, config and
code, never of a name, a time or a result. Owns no state and reads no file.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

import msgspec
import numpy as np

from hft.core.errors import DataError, ValidationError
from hft.storage.chain_row import canonical

Source = Literal["search", "validate", "sweep", "rl", "notebook"]
SOURCES: tuple[str, ...] = get_args(Source)
# Whatever horizon an alpha declares, its returns come from the same prices: were each horizon a
# family of its own, another nanosecond of it would set the count of tries back to nought.
LABEL_FAMILY = "return"
INT64_MAX = 2**63 - 1
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()

Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=INT64_MAX)]
Count = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
Hash = Annotated[str, msgspec.Meta(min_length=64, max_length=64)]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One line of a ledger file (contract 5.13)."""

    writer_id: str
    seq: Count
    ts_ns: Int
    prev_hash: str
    row_hash: str
    trial_id: str
    alpha_id: str
    family: str
    label_family: str
    data_interval: tuple[Int, Int]
    config_hash: str
    data_hash: str
    code_hash: str
    sharpe_per_period: float | None
    n_obs: Count
    skew: float | None
    kurtosis: float | None
    returns_sha256: Hash
    source: Source
    seed: Int
    reentry: Count = 0  # rollbacks of the alpha before; a row of a first entry does not say it


FIELDS = tuple(Row.__struct_fields__)


def trial_id(canonical_form: str, data_hash: str, config_hash: str, code_hash: str) -> str:
    """The same for the same form, data, config and code, whoever runs it and whenever."""
    parts = {
        "canonical": canonical_form,
        "code": code_hash,
        "config": config_hash,
        "data": data_hash,
    }
    return hashlib.sha256(canonical(parts)).hexdigest()[:32]


@dataclass(frozen=True)
class Trial:
    """An evaluation on data that counts.

    `interval` is [start, end) of the rows it was evaluated on. `returns` are net returns per
    period (day or session); an evaluation that failed, or whose returns are not all finite, is a
    trial too and keeps an empty vector. `periods_ns` are the periods' own times; with them, trials
    on data that overlaps only in part are compared period by period. `reentry` counts rollbacks of
    the alpha before it: what is shown again after one is another try.
    Units: interval and periods UTC nanoseconds. Raises: ValidationError.
    """

    alpha_id: str
    family: str
    label_family: str
    canonical: str
    interval: tuple[int, int]
    config_hash: str
    data_hash: str
    code_hash: str
    returns: np.ndarray
    periods_per_year: float
    source: str
    seed: int
    periods_ns: np.ndarray | None = field(default=None)
    reentry: int = 0

    def __post_init__(self) -> None:
        for name in ("alpha_id", "family", "label_family", "config_hash", "data_hash", "code_hash"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise ValidationError(f"trial of alpha {self.alpha_id!r}: {name} is missing")
        start, end = self.interval
        if not 0 <= start <= end <= INT64_MAX:
            raise ValidationError(
                f"trial of alpha {self.alpha_id}: interval {start}..{end} is not a span of time"
            )
        if self.source not in SOURCES:
            known = ", ".join(SOURCES)
            raise ValidationError(
                f"trial of alpha {self.alpha_id}: source {self.source!r}; one of {known}"
            )
        if not 0 <= self.seed <= INT64_MAX:
            raise ValidationError(
                f"trial of alpha {self.alpha_id}: seed {self.seed} is not 0..2^63"
            )
        if not (self.periods_per_year > 0 and np.isfinite(self.periods_per_year)):
            raise ValidationError(
                f"trial of alpha {self.alpha_id}: {self.periods_per_year} periods per year"
            )
        object.__setattr__(self, "returns", self._vector())
        self._check_periods()

    def _vector(self) -> np.ndarray:
        try:
            vector = np.array(self.returns, dtype="<f8", order="C")
        except (TypeError, ValueError):
            raise ValidationError(
                f"trial of alpha {self.alpha_id}: returns are not numbers"
            ) from None
        if vector.ndim != 1:
            raise ValidationError(f"trial of alpha {self.alpha_id}: returns are not one series")
        return vector if np.isfinite(vector).all() else np.empty(0, "<f8")

    def _check_periods(self) -> None:
        if self.periods_ns is None or not len(self.returns):
            object.__setattr__(self, "periods_ns", None)
            return
        periods = np.array(self.periods_ns, dtype="<i8", order="C")
        if periods.shape != self.returns.shape or (np.diff(periods) <= 0).any():
            raise ValidationError(
                f"trial of alpha {self.alpha_id}: periods_ns needs one rising time for each of the "
                f"{len(self.returns)} returns"
            )
        object.__setattr__(self, "periods_ns", periods)

    @property
    def id(self) -> str:
        """The content-based id."""
        return trial_id(self.canonical, self.data_hash, self.config_hash, self.code_hash)

    @property
    def returns_sha256(self) -> str:
        """The name of the return vector: sha-256 of its float64 little-endian bytes."""
        return hashlib.sha256(self.returns.tobytes()).hexdigest()

    def to_row(self, writer_id: str, now_ns: int) -> dict[str, Any]:
        """The row without what the chain adds (seq, prev_hash, row_hash)."""
        from hft.statistics.sharpe import moments

        with np.errstate(all="ignore"):  # a figure that overflows is undefined
            shape = moments(self.returns) if len(self.returns) > 1 else None
        if shape is not None and not np.isfinite(shape.sd):
            shape = None
        return {
            "writer_id": writer_id,
            "ts_ns": now_ns,
            "trial_id": self.id,
            "alpha_id": self.alpha_id,
            "family": self.family,
            "label_family": self.label_family,
            "data_interval": [int(self.interval[0]), int(self.interval[1])],
            "config_hash": self.config_hash,
            "data_hash": self.data_hash,
            "code_hash": self.code_hash,
            "sharpe_per_period": _finite(shape.sharpe if shape else None),
            "n_obs": len(self.returns),
            "skew": _finite(shape.skew if shape else None),
            "kurtosis": _finite(shape.kurtosis if shape else None),
            "returns_sha256": self.returns_sha256,
            "source": self.source,
            "seed": int(self.seed),
            **({"reentry": int(self.reentry)} if self.reentry else {}),
        }


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


_ROW = msgspec.json.Decoder(Row)


def decode_row(line: bytes) -> Row:
    """A line as a typed row. Raises: DataError saying which field is wrong."""
    try:
        return _ROW.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(str(error)) from None


def overlaps(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two spans [start, end) share time; an empty span counts as one instant."""
    return one[0] < max(other[1], other[0] + 1) and other[0] < max(one[1], one[0] + 1)
