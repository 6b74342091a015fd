"""The progress of a search on disk: a line for each finished chunk, durable before the next begins.

A search that was killed reads its lines again and goes on behind them. A torn last line is cut; a
line of another search is an error, since the folder is named by the search's own hash.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hft.core import json_text
from hft.core.errors import JournalError

NAME = "progress.jsonl"


class Journal:
    """Figures of finished candidates, by canonical text.

    `price` is the line that was printed when the search first began, whatever it costs by now.
    """

    def __init__(self, folder: Path, search: str, price: str = "") -> None:
        self.path, self.search, self.price = folder / NAME, search, price
        self.results: dict[str, dict[str, Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._read()
        if not self.path.exists() or not self.path.stat().st_size:
            self._append({"search": search, "price": price})

    def _read(self) -> None:
        content = self.path.read_bytes()
        whole, newline, torn = content.rpartition(b"\n")
        if torn:
            with self.path.open("rb+") as file:
                file.truncate(len(whole) + len(newline))
        lines = whole.split(b"\n") if whole else []
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                if number == 1:
                    known, self.price = row["search"] == self.search, row["price"]
                else:
                    known = True
                    self.results |= {one["expression"]: one for one in row["results"]}
            except (ValueError, KeyError, TypeError):
                raise JournalError(
                    f"{self.path}: line {number} cannot be read; remove the file to begin again"
                ) from None
            if not known:
                raise JournalError(f"{self.path}: belongs to another search; remove the folder")

    def finish(self, results: Sequence[dict[str, Any]]) -> None:
        """Keep the results of a chunk; durable when this returns."""
        self.results |= {one["expression"]: one for one in results}
        self._append({"results": list(results)})

    def _append(self, row: dict[str, Any]) -> None:
        with self.path.open("ab") as file:
            file.write(f"{json_text.line(row)}\n".encode())
            file.flush()
            os.fsync(file.fileno())
