"""The only room that talks to Intercom: its REST API 2.16, typed in and typed out.

Requests go through one path (`calls.py`), at one pace (`rate.py`), with one retry decision
(`retry.py`) and one error mapping (`errors.py`), over one transport (`http/`, which does not know
Intercom). Pydantic stays in `wire.py`; domain values leave.
No rule about who wins belongs here, no database and no Dagster.
"""
