"""Both databases: the app's, read and written by its mapping, and our own tables.

The app's side: `app` is the client, made of `connections` (transactions and errors), `columns`
(what the mapping's queries return), `rows` (a row as a user or team), `app_reads` and
`write_back`; `capture` is the change log with its triggers. Our side: `store`.
"""
