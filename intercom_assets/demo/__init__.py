"""What a person needs to see the sync at work without an app, an account or a server of their own.

Belongs here: the sample app, the demo's databases and services, the scenario that it runs. Must
not: anything that the sync needs in production, and any path to a database or an Intercom workspace
that the demo did not make itself. Processes are started and ended by `supervision`.
"""
