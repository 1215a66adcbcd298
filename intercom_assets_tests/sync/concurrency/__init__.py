"""Two at once: leases, the queue, and what happens in mid-pass."""
