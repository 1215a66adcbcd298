"""How the sync is: what `status`, the health checks and alerts tell. Reads; writes nothing."""
