"""The stand-in held against the official file, real clients and what was recorded of the real one.

Shared here: `asking` (a bare client), `schemas` (the file's schemas), fixtures in `conftest`.
"""
