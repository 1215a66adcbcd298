"""Everything that runs beside an app's own database, on this machine: `intercom-assets up`.

Belongs here: Dagster's home and database, its three services, keeping them running. How a process
is started, watched and ended is `supervision/processes.py`, which the demo and `up` share. Must
not: the simulator, the sample app; anything printed (`cli/up.py`).
"""
