"""What we observe: books, their validity and simple features."""
