"""Reinforcement learning on the replay engine: quotes through the real gateway, policies as arrays.

`quoting` is what an agent sees and does, `episode` the engine stepped from outside, `environment`
its gymnasium form (extra `rl`), `policy` inference from arrays, `playing` the sealed replay of
actions or of a policy, `logged` the run on disk and its gate, `promotion` the way on.
"""
