import numpy as np
import pytest

from hft.core.errors import JournalError
from hft.storage.arrays import pack, unpack


def test_arrays_come_back_with_their_names_types_and_shapes() -> None:
    row = np.zeros(2, np.dtype([("a", np.int64), ("b", np.float64)]))
    row["a"], row["b"] = [1, -(2**62)], [0.1, np.nan]
    arrays = {"row": row, "empty": np.zeros((0, 3), np.uint64), "one": np.array([7], np.int8)}
    back = unpack(pack(arrays), "x")
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype and back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()


def test_damage_anywhere_is_a_sentence_that_names_the_file() -> None:
    whole = pack({"a": np.arange(50), "b": np.arange(9)})
    rng = np.random.default_rng(1)
    for cut in (0, 1, 30, len(whole) // 2, len(whole) - 1):
        with pytest.raises(JournalError, match=r"snap\.npz: is damaged"):
            unpack(whole[:cut], "snap.npz")
    for _ in range(200):
        torn = bytearray(whole)
        torn[int(rng.integers(len(whole)))] ^= int(rng.integers(1, 256))
        try:
            found = unpack(bytes(torn), "snap.npz")
        except JournalError:
            continue
        # A flip in a field that nothing depends on; the content is then as it was.
        assert all((found.get(n) is None) or found[n].dtype == np.int64 for n in found)


def test_pickled_objects_are_refused() -> None:
    with pytest.raises(JournalError):
        unpack(pack({"a": np.array([{"x": 1}], object)}), "x")
