"""The shell: gathers both sides, lets `domain` decide, applies, records. Runs without Dagster."""
