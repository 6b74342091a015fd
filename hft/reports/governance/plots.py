"""Pictures of governance pages for notebooks: what the page draws, as one SVG."""

from hft.reports.governance.evidence import Picture
from hft.reports.governance.pictures import draw
from hft.reports.governance.svg import Plot, picture


def plot(one: Picture) -> Plot:
    """The picture with its title, what it says, and how it is read."""
    drawn = draw(one)
    svg = picture(drawn.title, drawn.says, drawn.charts, drawn.how)
    return Plot(drawn.title, drawn.says, svg)
