#!/usr/bin/env bash
# Version:   dagster 1.13.27
# Behaviour: an asset may end a run without a materialization (output_required=False): for a user who
#            is gone, say. The run is a SUCCESS. A backfill with such a partition in it ends as
#            COMPLETED_FAILED all the same, with nothing red to be found.
# Guess:     a backfill whose runs all succeeded has succeeded.
# Seen:      two runs, both SUCCESS; the backfill: COMPLETED_FAILED.
set -euo pipefail
work=$(mktemp -d); trap 'kill "${daemon:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dagster==1.13.27
export DAGSTER_HOME=$work/home; mkdir "$DAGSTER_HOME"
printf 'telemetry:\n  enabled: false\n' > "$DAGSTER_HOME/dagster.yaml"
cd "$work"
cat > customers_location.py <<'PY'
import dagster as dg

@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["here", "gone"]), output_required=False)
def customers(context: dg.AssetExecutionContext):
    if context.partition_key == "here":
        yield dg.Output(None)

defs = dg.Definitions(assets=[customers])
PY
printf 'load_from:\n  - python_file: customers_location.py\n' > workspace.yaml
# The storage is made before two processes make it at once.
venv/bin/python -c "import dagster as dg; dg.DagsterInstance.get().get_runs(limit=1)"
venv/bin/python -m dagster._daemon run -w workspace.yaml > daemon.log 2>&1 & daemon=$!
cat > ask.py <<'PY'
import sys, time
import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from customers_location import defs

ENDED = {BulkActionStatus.COMPLETED_SUCCESS, BulkActionStatus.COMPLETED_FAILED, BulkActionStatus.FAILED}
with dg.DagsterInstance.get() as instance:
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id="everybody", asset_graph=defs.resolve_asset_graph(), partition_names=["here", "gone"],
        asset_selection=[dg.AssetKey("customers")], backfill_timestamp=time.time(), tags={},
        dynamic_partitions_store=instance, all_partitions=False, title=None, description=None, run_config={},
    )
    instance.add_backfill(backfill)
    until = time.monotonic() + 240
    while (status := instance.get_backfill("everybody").status) not in ENDED:
        if time.monotonic() > until:
            sys.exit("the backfill did not end")
        time.sleep(1)
    print(sorted(run.status.value for run in instance.get_runs()), status.value)
PY
seen=$(venv/bin/python ask.py) || { tail -20 daemon.log; exit 1; }
echo "runs, and the backfill: $seen"
[[ $seen == "['SUCCESS', 'SUCCESS'] COMPLETED_FAILED" ]] || { echo "This has changed."; exit 1; }
