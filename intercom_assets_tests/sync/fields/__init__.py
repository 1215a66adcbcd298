"""What becomes of each field, both ways."""
