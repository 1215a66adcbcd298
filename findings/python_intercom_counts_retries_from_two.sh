#!/usr/bin/env bash
# Version:   python-intercom 5.0.1
# Behaviour: `max_retries` is compared with a count that begins at two: 1 and 2 are none, 3 is one, 4 are
#            two; and the first pause is already the third of its series. Without the option there is no
#            retry at all, not even of a 429.
# Guess:     `max_retries=2` is two retries, and an official client waits for its own rate limit.
# Seen:      calls made of one that is answered 503: 1, 1, 1, 2, 3 for `max_retries` 0 to 4.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-intercom==5.0.1
seen=$("$work/venv/bin/python" - <<'PY'
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from intercom import Intercom

calls = 0


class Busy(BaseHTTPRequestHandler):
    def do_GET(self):
        global calls
        calls += 1
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Busy)
Thread(target=server.serve_forever, daemon=True).start()
client = Intercom(token="a-token", base_url=f"http://127.0.0.1:{server.server_port}")
for wanted in range(5):
    calls = 0
    try:
        client.contacts.find("1", request_options={"max_retries": wanted})
    except Exception as error:
        print(f"max_retries {wanted}: {calls} calls, {type(error).__name__}")
server.shutdown()
PY
)
echo "$seen"
[[ $seen == "max_retries 0: 1 calls, ApiError
max_retries 1: 1 calls, ApiError
max_retries 2: 1 calls, ApiError
max_retries 3: 2 calls, ApiError
max_retries 4: 3 calls, ApiError" ]] || { echo "This has changed."; exit 1; }
