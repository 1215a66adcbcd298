"""Processes that we start, and how they end with us: children, a private PostgreSQL, the reaper.

For `up` and the demo. Must not: know what a process is for.
"""
