"""Purged folds row by row: every training row is compared with every tested one."""

from itertools import combinations


def naive_combinatorial(
    start: list[int], end: list[int], n: int, k: int, embargo: int
) -> list[tuple[list[int], list[int]]]:
    """(train, test) of every choice of k groups, by looking at each pair of rows."""
    rows = len(start)
    sizes = [rows // n + (g < rows % n) for g in range(n)]
    group = [g for g in range(n) for _ in range(sizes[g])]
    splits = []
    for chosen in combinations(range(n), k):
        test = [i for i in range(rows) if group[i] in chosen]
        blocks = [[i for i in test if group[i] == g] for g in chosen]
        train = []
        for i in range(rows):
            if i in test:
                continue
            clear = True
            for block in blocks:
                opens, closes = start[block[0]], max(end[j] for j in block)
                meets = start[i] <= closes and end[i] >= opens
                soon_after = closes <= start[i] <= closes + embargo
                clear = clear and not meets and not soon_after
            if clear:
                train.append(i)
        splits.append((train, test))
    return splits
