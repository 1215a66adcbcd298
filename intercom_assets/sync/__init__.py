"""The engine, without Dagster: gathers both sides, lets `domain` decide, applies, records.

    feeders -> the queue -> engine -> passes -> both sides
    operator, preflight, status    what people ask for, before and after

`environment` is where services are made from variables, the one composition root; `context` is what
every pass works with. A feeder never runs a batch, and a pass knows neither.
"""
