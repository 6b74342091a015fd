"""Regression replays: named replays, what they are blessed to give, and what has moved since."""
