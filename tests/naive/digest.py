"""The running digest with Python's unbounded integers: no overflow to get wrong."""

FULL = 1 << 64
K0 = 0x9E3779B97F4A7C15
K1 = 0xC2B2AE3D27D4EB4F
K2 = 0x165667B19E3779F9


class NaiveDigest:
    """Two lanes of 64 bits."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def mix(self, value: int) -> None:
        """One signed value into both lanes."""
        low = (self.low ^ (value % FULL)) * K0 % FULL
        self.low = low ^ (low // 2**29)
        self.high = (self.high * K1 + self.low) % FULL

    def mix_words(self, word: int, value: int) -> None:
        """A finished word and one signed value at once."""
        self.mix((word + value * K0) % FULL)


def row_word(index: int, ts: int, kind: int, side: int, price: int, qty: int) -> int:
    """One tape row as a word; its index is part of it."""
    place = ((ts % FULL) ^ (index * K1 % FULL)) * K0
    size = (price * K2 + qty) * K1
    what = (kind * K2 % FULL) ^ (side % FULL)
    word = (place + size + what) % FULL
    return (word ^ (word // 2**32)) * K2 % FULL
