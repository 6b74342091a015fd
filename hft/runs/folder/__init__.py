"""What a run leaves behind: written while it replays, read for ever after."""
