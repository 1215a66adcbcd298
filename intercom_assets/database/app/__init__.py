"""The app's database, read and written by the mapping's queries and nothing else."""
