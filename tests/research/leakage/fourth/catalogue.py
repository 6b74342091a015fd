"""The fourth list: 32 leaks and 20 innocents in data, 8 of each in code.

Written by somebody who had not read the gates, nor asked them about an entry.
"""

from .innocents_code import INNOCENTS_CODE
from .innocents_data_a import INNOCENTS_DATA_A
from .innocents_data_b import INNOCENTS_DATA_B
from .innocents_data_c import INNOCENTS_DATA_C
from .leaks_code import LEAKS_CODE
from .leaks_data_a import LEAKS_DATA_A
from .leaks_data_b import LEAKS_DATA_B
from .leaks_data_c import LEAKS_DATA_C
from .leaks_data_d import LEAKS_DATA_D

ENTRIES = (
    *LEAKS_CODE, *LEAKS_DATA_A, *LEAKS_DATA_B, *LEAKS_DATA_C, *LEAKS_DATA_D,
    *INNOCENTS_CODE, *INNOCENTS_DATA_A, *INNOCENTS_DATA_B, *INNOCENTS_DATA_C,
)  # fmt: skip

COUNTS = {
    ("leak", "code"): 8,
    ("leak", "data"): 32,
    ("innocent", "code"): 8,
    ("innocent", "data"): 20,
}
for (kind, place), count in COUNTS.items():
    assert sum(e.kind == kind and e.place == place for e in ENTRIES) == count
assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
