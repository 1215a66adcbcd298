#!/usr/bin/env bash
# Version:   dagster 1.13.27, `dagster job backfill --partitions`
# Behaviour: a partition key with a comma cannot be named on the command line. The argument is split
#            at every comma, quotes or not; where the pieces are keys too, those are backfilled
#            instead of the one that was named, without a word.
# Guess:     a key that Dagster accepts as a partition can be given to its own command, or the command
#            says that it cannot.
# Seen:      asked for the one partition "a,b": runs for "a" and "b", none for "a,b".
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dagster==1.13.27
export DAGSTER_HOME=$work/home; mkdir "$DAGSTER_HOME"
printf 'telemetry:\n  enabled: false\n' > "$DAGSTER_HOME/dagster.yaml"
cat > "$work/customers_location.py" <<'PY'
import dagster as dg

@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b", "a,b"]))
def customers() -> None: ...

everybody = dg.define_asset_job("everybody", selection=[customers])
defs = dg.Definitions(assets=[customers], jobs=[everybody])
PY
cd "$work"
venv/bin/dagster job backfill -f customers_location.py -j everybody --partitions 'a,b' --noprompt > said.txt 2>&1 || true
seen=$(venv/bin/python - <<'PY'
import dagster as dg
with dg.DagsterInstance.get() as instance:
    print(sorted(run.tags["dagster/partition"] for run in instance.get_runs()))
PY
)
echo "asked for 'a,b'; runs were made for: $seen"
[[ $seen == "['a', 'b']" ]] || { cat said.txt; echo "This has changed."; exit 1; }
