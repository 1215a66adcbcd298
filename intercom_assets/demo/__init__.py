"""What a person needs to see the sync at work without an app, an account or a server of their own.

Belongs here: the embedded database, the sample app, the supervision of the demo's processes, the
story that they play. Must not: anything that the sync needs in production, and any path to a
database or an Intercom workspace that the demo did not make itself.
"""
