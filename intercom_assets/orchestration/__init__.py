"""Everything that imports Dagster: a thin coat over `sync`, which runs without it.

    sensors -> sensor_tick -> a run -> assets/run_step -> sync.engine.batch

Belongs here: assets, sensors, jobs, schedules, checks, resources, and how they are named. Must not:
decide anything about a user or a team, speak to Intercom, or hold SQL about either.
"""
