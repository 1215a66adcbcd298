"""Who is put into the queue, and who is left alone."""
