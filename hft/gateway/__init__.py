"""The decision kernel: every intent passes here, in replay, paper and live alike."""
