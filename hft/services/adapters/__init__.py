"""Where approved commands go: one file a venue, or a model of one."""
