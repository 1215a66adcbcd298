"""What Intercom's documents do not tell, measured with two contacts that are deleted again."""
