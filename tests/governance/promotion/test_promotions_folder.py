"""The folder of promotions in the repository: nothing in it is live, its example is a real file."""

import re
from pathlib import Path

from hft.governance.promotion.document import Promotion
from hft.governance.promotion.promotions import read

FOLDER = Path(__file__).resolve().parents[3] / "config" / "strategy_promotions"


def test_nothing_that_the_repository_brings_is_a_promotion() -> None:
    found = read(FOLDER)
    assert found.files == () and found.findings == ()


def test_the_example_of_the_page_is_a_promotion_file() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)
    example = Promotion.from_bytes(text.encode(), "README.md")
    assert example.alpha_id == "flow" and example.state == "escalated"
    assert example.text == text, "it is written as the commands write it"
