"""Where our orders rest: the simulated venue."""
