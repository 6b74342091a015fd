"""Reinforcement learning on the replay engine: quotes through the real gateway, policies as arrays.

`quoting` is what an agent sees and does, `episode` the engine stepped from outside, `environment`
its gymnasium form (extra `rl`), `policy` inference from arrays, `quotes` what an alpha that is a
policy names, `player` the sealed replay of actions or of a policy, `training` the search for one. A
run is judged by `hft.governance.training`.
"""
