"""What was seen and decided, on disk first and then in the database, each row once."""
