"""Both databases: the app's, read and written by its mapping, and our own tables.

The app's side: `app` is the client, made of `app_connections` (transactions), `columns` and
`shapes` (what the mapping's queries return), `rows` (a row as a user or team), `app_reads`,
`app_lookups` and `write_back`; `capture` installs the change log, `capture_log` handles its rows;
`inspection` answers `check`. Our side: `store`.
"""
