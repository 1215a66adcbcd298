"""A mapping that is proposed from what a database's catalogue says: `init --from`.

A function from a description (`catalogue.py`) to the texts of four files (`proposing.py`). Each
choice has its reason as a comment beside it. Must not: reading any database or file
(`database/app/catalogue.py` reads), any value of a row.
"""
