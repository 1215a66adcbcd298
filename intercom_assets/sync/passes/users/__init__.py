"""The pass over a chunk of users: `chunk.py` is its order, the others its parts."""
