"""What Dagster loads while the story is played: all that it always loads, less the schedules.

They start by the clock, some each quarter of an hour, and what they call would be counted against
whatever the story does at that moment.
"""

from intercom_assets.definitions import build_defs

defs = build_defs(schedules=())
