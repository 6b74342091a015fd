"""What outlives a process: files that appear whole, logs, chains, the one lock and database."""
