"""A table of a run folder on disk: one Parquet file that grows while the replay runs."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hft.runs.folder import tables

GROUP_ROWS = 1 << 16
ZSTD_LEVEL = 1


class TableFile:
    """One Parquet file that grows by row groups."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self._schema = path, schema
        coded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        counted = [f.name for f in schema if pa.types.is_int64(f.type) or f.type == tables.TIME]
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            use_dictionary=coded,
            column_encoding=dict.fromkeys(counted, "DELTA_BINARY_PACKED"),
            store_schema=False,  # so that readers see text where we hold codes
        )
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def add(self, table: pa.Table) -> None:
        if table.num_rows == 0:
            return
        self._waiting.append(table)
        self._rows += table.num_rows
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
            self._writer.write_table(pa.concat_tables(waiting))
