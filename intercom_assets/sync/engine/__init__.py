"""A batch: whom it handles, whether it may, and its chunks one after the other.

Must not: import a feeder. What is to be handled is in the queue, or named by whoever started it.
"""
