"""What an operator writes: three SELECTs and `sync.yaml`, read and checked as far as files can be.

`settings` is the schema of `sync.yaml`, `load` reads the folder, `sample/` is the shipped default,
`starter/` what `starting` copies for somebody else's app.
Nothing here connects to a database or knows Intercom; what only the database can tell (columns,
types) is checked by `database/app/columns`.
"""
