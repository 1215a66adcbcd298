#!/usr/bin/env bash
# Version:   urllib3 2.5.0
# Behaviour: with `status_forcelist=()` a PUT that is answered 429, 503 or 413 is repeated all the same,
#            if the answer has a Retry-After; the thread sleeps as long as the server says, before any
#            deadline of the caller's own is looked at. A POST is not, nor any call whose answer lacks
#            that header, nor a 500.
# Guess:     an empty list of statuses means that no status is repeated, or that a method's rule is one
#            for all answers.
# Seen:      two PUTs for 429, 503 and 413 with the header; else one.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check urllib3==2.5.0
seen=$("$work/venv/bin/python" - <<'PY'
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import urllib3

calls = 0
status, header = 0, ""


class Busy(BaseHTTPRequestHandler):
    def do_PUT(self):
        global calls
        calls += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(status)
        if header:
            self.send_header("Retry-After", header)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Busy)
Thread(target=server.serve_forever, daemon=True).start()
pool = urllib3.PoolManager()
for method in ("PUT", "POST"):
    for header in ("", "1"):
        seen = []
        for status in (429, 503, 413, 500):
            calls = 0
            retries = urllib3.Retry(total=1, status_forcelist=())
            pool.request(method, f"http://127.0.0.1:{server.server_port}/", body=b"{}", retries=retries)
            seen.append(f"{status}: {calls}")
        print(method, "with Retry-After" if header else "without", " ".join(seen))
server.shutdown()
PY
)
echo "$seen"
[[ $seen == "PUT without 429: 1 503: 1 413: 1 500: 1
PUT with Retry-After 429: 2 503: 2 413: 2 500: 1
POST without 429: 1 503: 1 413: 1 500: 1
POST with Retry-After 429: 1 503: 1 413: 1 500: 1" ]] || { echo "This has changed."; exit 1; }
