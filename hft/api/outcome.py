"""What a command of promotion or canary gives back: the decision, its page, what went wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.reports.governance.document import Document
from hft.reports.governance.shown import Shown


@dataclass(frozen=True, repr=False)
class Outcome(Shown):
    """A decision, what was finished before it, and what has to be known beside it.

    `notice` says what could not be delivered, and what was decided on where that is a choice;
    `document` is what its page shows; `page` is where that page lies; `acknowledged` is what a
    running gateway said of it.
    """

    decided: Any
    finished: tuple[str, ...] = ()
    notice: str = ""
    document: Document | None = None
    page: Path | None = None
    acknowledged: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        kept = {"page": str(self.page)} if self.page else {}
        kept |= {"acknowledged": self.acknowledged} if self.acknowledged else {}
        more = {"finished": list(self.finished), "notice": self.notice}
        return self.decided.to_dict() | more | kept

    def text(self, width: int = 100, color: bool = False) -> str:
        """For a terminal: what was decided, and what could not be delivered."""
        from hft.reports.governance.summary import text

        decided = text(self.document, width, color) if self.document else f"{self.decided}\n"
        return "\n".join([decided, *self.finished, *([self.notice] if self.notice else [])])

    def __repr__(self) -> str:
        return self.text()
