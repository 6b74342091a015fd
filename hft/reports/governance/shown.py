"""A result that shows its document: as text, as a notebook card, as pictures, as a page."""

from pathlib import Path
from typing import TYPE_CHECKING

from hft.core.errors import ConfigError
from hft.reports.governance.document import Document

if TYPE_CHECKING:
    from hft.reports.governance.svg import Plot


class Shown:
    """Mixed into results whose attribute `document` says what there is to show."""

    document: Document | None

    def plot(self, kind: str) -> "Plot":
        """One picture of the page, by kind.

        Raises: ConfigError for a picture that the page does not have.
        """
        from hft.reports.governance.plots import plot

        pictures = {one.kind: one for one in (self.document.pictures if self.document else ())}
        if kind not in pictures:
            raise ConfigError(f"plot: {kind!r} is none of {', '.join(pictures) or '(no pictures)'}")
        return plot(pictures[kind])

    def report(self, path: str | Path) -> Path:
        """The page, written to a file. Raises: ConfigError where there is none."""
        from hft.reports.governance.pages import page
        from hft.storage.atomic import write_atomic

        if self.document is None:
            raise ConfigError("report: this result has no page")
        write_atomic(Path(path), page(self.document))
        return Path(path)

    def _repr_html_(self) -> str:
        from html import escape

        from hft.reports.governance.cards import html_card

        return html_card(self.document) if self.document else f"<pre>{escape(repr(self))}</pre>"
