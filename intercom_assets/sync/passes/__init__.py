"""One pass over a user or a team: read both sides, decide, apply, record.

`users/` and `teams/` hold the passes; beside them stands what both share. Must not: choose whom
to handle (`engine/`), or queue anybody who is not handled here (`feeders/`).
"""
