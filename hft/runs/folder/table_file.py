"""A table of a run folder on disk: one Parquet file that grows while the replay runs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hft.runs.folder import tables
from hft.runs.folder.records import joined

GROUP_ROWS = 1 << 16
ZSTD_LEVEL = 1


class TableFile:
    """One Parquet file that grows by row groups, each made of rows of `dtype` at once."""

    def __init__(self, path: Path, make: Callable[[np.ndarray], pa.Table], dtype: np.dtype) -> None:
        self.path, self._make = path, make
        schema = make(np.zeros(0, dtype)).schema
        coded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        counted = [f.name for f in schema if pa.types.is_int64(f.type) or f.type == tables.TIME]
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            use_dictionary=coded,
            write_statistics=False,  # a fifth of the time, for a few groups to skip
            column_encoding=dict.fromkeys(counted, "DELTA_BINARY_PACKED"),
            store_schema=False,  # so that readers see text where we hold codes
        )
        self._waiting: list[np.ndarray] = []
        self._rows = 0

    def add(self, rows: np.ndarray) -> None:
        """The rows are kept until a group is full; they are not to change."""
        if len(rows) == 0:
            return
        self._waiting.append(rows)
        self._rows += len(rows)
        if self._rows >= GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is waiting and the footer."""
        if self._writer is None:
            return
        self._flush()
        writer, self._writer = self._writer, None
        writer.close()

    def _flush(self) -> None:
        waiting, self._waiting, self._rows = self._waiting, [], 0
        if waiting and self._writer is not None:
            self._writer.write_table(self._make(joined(waiting)))
