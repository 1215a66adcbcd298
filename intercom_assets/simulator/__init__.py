"""A stand-in Intercom of API 2.16: the only thing that plays Intercom in tests, demo and load.

It holds Intercom's rules and nothing of ours, so client and stand-in cannot share a
misunderstanding; only uvicorn, httptools and pydantic's JSON come from outside. Where the facts are
unknown it is stricter than the real one, and says so in `choices`. One `handle` serves sockets
(`server`) and tests without sockets.
"""
