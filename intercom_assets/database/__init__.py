"""Both databases: the app's, read and written by its mapping, and our own tables.

`app` is the client of the app's side; `capture` installs the change log there and handles its rows;
`store` is our side, and `log_to_queue` moves changes from one to the other. What they stand on lies
beside them: `connections` (the kinds of transaction in the app's database), `tables`, `failures`
(errors in one sentence), `connection_pool`, `identity` (ids as text), `records` (what goes in
and out of our tables) and `reports` (what people are shown of them). No cursor leaves this room.
"""
