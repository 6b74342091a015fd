"""Research data: what alphas are tried and judged on, whatever it was recorded in."""
