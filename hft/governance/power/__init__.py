"""How likely a true alpha passes: lives drawn from a market of known edge, judged as alphas are.

The verdict is `validation.judgement.judge`, which `validate` calls; only the market is drawn.
"""
