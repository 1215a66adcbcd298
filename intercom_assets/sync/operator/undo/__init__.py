"""A run taken back, field by field, where nobody changed it since."""
