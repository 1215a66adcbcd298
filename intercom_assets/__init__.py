"""Keeps an app's PostgreSQL database and Intercom in step, both ways.

    changes -> app_users -> intercom_contacts -> reconciled_profiles
    changes -> intercom_companies

The rooms, each standing on those below it (`pyproject.toml` holds the contracts):

    cli             commands                     demo           the sync at work on a sample app
    definitions     what Dagster loads
    orchestration   the thin Dagster coat        launch         what `up` runs
    sync            the engine, without Dagster
    intercom        the API    database  both databases    supervision  child processes
    mapping         sync.yaml and the queries
    domain          decides, purely              simulator      a stand-in Intercom

Nothing is re-exported here: import from the room that owns the name.
"""
