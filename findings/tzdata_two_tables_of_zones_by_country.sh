#!/usr/bin/env bash
# Version:   tzdata 2025.2 from PyPI (IANA's 2025b)
# Behaviour: of the two tables of zones by country that come side by side, zone1970.tab, the one that
#            zone.tab's own head recommends, gives Norway, Sweden and Denmark the zone Europe/Berlin,
#            Iceland Africa/Abidjan, and Germany Zurich before Berlin. 102 countries differ.
# Guess:     a newer table names the same zones; whoever knows that somebody is in Norway may take the
#            one zone of that country's row for theirs.
# Seen:      NO: Europe/Oslo in zone.tab, Europe/Berlin in zone1970.tab.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tzdata==2025.2
seen=$("$work/venv/bin/python" - <<'PY'
from importlib.resources import files


def zones(table):
    """Country -> its zones, in the order of the table."""
    found = {}
    for line in (files("tzdata") / "zoneinfo" / table).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            countries, _, zone = line.split("\t")[:3]
            for country in countries.split(","):
                found.setdefault(country, []).append(zone)
    return found


old, new = zones("zone.tab"), zones("zone1970.tab")
for country in ("NO", "SE", "DK", "IS", "DE"):
    print(f"{country}: {' '.join(old[country])} | {' '.join(new[country])}")
print("countries that differ:", sum(old[country] != new[country] for country in old))
PY
)
echo "$seen"
[[ $seen == "NO: Europe/Oslo | Europe/Berlin
SE: Europe/Stockholm | Europe/Berlin
DK: Europe/Copenhagen | Europe/Berlin
IS: Atlantic/Reykjavik | Africa/Abidjan
DE: Europe/Berlin Europe/Busingen | Europe/Zurich Europe/Berlin
countries that differ: 102" ]] || { echo "This has changed."; exit 1; }
