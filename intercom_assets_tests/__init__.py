"""Tests as sentences about behaviour, against a real PostgreSQL and the simulator."""
