"""HTTP/1.1 without Intercom: one request out, one response in, or why none came.

Belongs here: connections and their pool, limits of time and size, proxies, certificates, addresses
and the token as headers. Must not: endpoints, JSON, pace, retries, or an error that an operator
reads; whatever goes wrong leaves this room as `NoResponse`, which tells whether the request left.
"""
