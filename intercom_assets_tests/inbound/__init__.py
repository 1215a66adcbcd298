"""What Intercom sends us: requests to the real server on a real port, over real tables."""
