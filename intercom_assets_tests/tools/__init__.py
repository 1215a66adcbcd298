"""What is run by command, for what nobody thought of: chaos, walks, mutation, soak, benchmarks.

Each says in its charter how it is run. Tests of the tools themselves stand beside them.
"""
