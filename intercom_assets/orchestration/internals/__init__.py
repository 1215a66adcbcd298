"""What leans on Dagster's private API or tables, and nothing else does.

A new Dagster can break these modules only; `test_internals.py` pins the names that they use. Each
has a way on if a name is gone.
"""
