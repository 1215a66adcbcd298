"""Asks a run's code server whether it still has the run's process.

On a busy machine a process may take longer to start than a dead one may stay unnoticed; only the
server that starts it can tell them apart. This is Dagster's own protocol, so its names are pinned
by a test; where they are missing or nobody answers, nothing is known.
"""

import json
from importlib import import_module

import dagster as dg

ADDRESS_TAG = ".dagster/grpc_info"
ANSWER_TIMEOUT_S = 5
"""Seconds to wait for an answer."""


def has_process(run: dg.DagsterRun) -> bool | None:
    """Whether the code server that launched the run has its process; None if it does not say."""
    address = run.tags.get(ADDRESS_TAG)
    if address is None:
        return None
    try:
        client = import_module("dagster._grpc.client").DagsterGrpcClient(**json.loads(address))
        question = import_module("dagster._grpc.types").CanCancelExecutionRequest(run_id=run.run_id)
        answer = client.can_cancel_execution(question, timeout=ANSWER_TIMEOUT_S)
        return bool(import_module("dagster._serdes").deserialize_value(answer).can_cancel)
    except Exception:
        # Gone, unreachable, or of another version: whatever it is, it does not vouch for the run.
        return None
