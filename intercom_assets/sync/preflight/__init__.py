"""What `check` looks at before anything is written; every finding says what to do.

Must not: write anything, on either side.
"""
