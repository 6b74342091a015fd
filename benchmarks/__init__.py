"""Ours beside the peers: the same events, the same strategy, the same models, measured in one run.

`python -m benchmarks.run` builds the peers' environments, measures and writes `docs/benchmarks.md`.
Modules named `peer_*` run inside a peer's own environment and import nothing of hft.
"""
