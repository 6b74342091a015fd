"""Words and arithmetic: codes, rows, numbers, digests; nothing here touches the world."""
