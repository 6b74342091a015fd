"""Every statistic the gates, the pool, the search and the canary decide by, as pure functions.

Inputs are per-period net returns (float64) and arrays of the same kind; nothing here reads a file,
a clock or a setting, and every random draw comes from a seed that is passed in. NaN in an input is
a ValueError: what is missing is dropped by the one who knows why. An undefined result is None,
never 0 or infinity. Sharpe ratios are per period and kurtosis is not excess, everywhere.
"""
