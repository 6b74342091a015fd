"""What we hold: positions, their cost, profits, fees."""
