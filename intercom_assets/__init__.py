"""Keeps an app's PostgreSQL database and Intercom in step, both ways.

    changes -> app_users -> intercom_contacts -> reconciled_profiles
    changes -> intercom_companies

Rooms: `domain` decides, purely; `intercom`, `database` and `mapping` speak to the outside; `sync`
puts them together without Dagster; `assets` and its neighbours are the thin Dagster coat; `cli`
and `demo` are for people. Nothing is re-exported here: import from the room that owns the name.
"""
