"""What stops a batch before its first write, and what one run is."""
