"""Both databases: the app's, read and written by its mapping, and our own tables.

`app` is the client of the app's side; `capture` installs the change log there and handles its rows;
`store` is our side. What all three stand on lies beside them: `connections` (the kinds of
transaction in the app's database), `connection_pool`, `tables` (names looked up in the catalogue),
`failures` (errors in one sentence), `identity` (ids as text), `loaders`, `publications`, `queries`,
and `records` (what goes in and out of our tables).
"""
