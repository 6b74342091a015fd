"""The fifth list: sixteen leaks and innocents each, in code and in data.

Written by somebody who had not read the gates, and asked once, at the end, as the measure.
"""

from .innocents_code_a import INNOCENTS_CODE_A
from .innocents_code_b import INNOCENTS_CODE_B
from .innocents_data_a import INNOCENTS_DATA_A
from .innocents_data_b import INNOCENTS_DATA_B
from .leaks_code_a import LEAKS_CODE_A
from .leaks_code_b import LEAKS_CODE_B
from .leaks_data_a import LEAKS_DATA_A
from .leaks_data_b import LEAKS_DATA_B

ENTRIES = (
    *LEAKS_CODE_A, *LEAKS_CODE_B, *LEAKS_DATA_A, *LEAKS_DATA_B,
    *INNOCENTS_CODE_A, *INNOCENTS_CODE_B, *INNOCENTS_DATA_A, *INNOCENTS_DATA_B,
)  # fmt: skip

for kind in ("leak", "innocent"):
    for place in ("code", "data"):
        assert sum(e.kind == kind and e.place == place for e in ENTRIES) == 16
assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
