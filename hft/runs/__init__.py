"""A replay from what it is asked for to what it leaves, and what is done with it afterwards."""
