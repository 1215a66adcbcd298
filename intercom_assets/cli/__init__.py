"""The commands of an operator, `intercom-assets ...`, one module for each group of them.

Belongs here: options, exit codes, what is printed. Only this room prints. Must not: any decision
about a user; each command calls what Dagster's assets and the tests call too.
"""
