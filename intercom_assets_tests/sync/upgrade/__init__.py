"""Installations as landed versions left their tables, brought up by `init-db`."""
