#!/usr/bin/env bash
# Version:   intercom-client 7.0.3 (Node), with its default options
# Behaviour: a POST that is answered 502, as a gateway does whose server had done the work, is sent twice
#            more. A lead, which Intercom never takes for a duplicate, is then made three times.
# Guess:     what is not idempotent is not repeated unasked; the Python client repeats nothing by default.
# Seen:      three POSTs after 502, 500, 408 and 429; one after 409 and 400.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund intercom-client@7.0.3
cat > posts.mjs <<'JS'
import http from "node:http";
import { IntercomClient } from "intercom-client";

let status = 0;
let posts = 0;
const server = http.createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    posts += request.method === "POST" ? 1 : 0;
    response.writeHead(status, { "content-type": "application/json" });
    response.end('{"type": "error.list", "errors": [{"code": "server_error", "message": "Server Error"}]}');
  });
});
await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
const url = `http://127.0.0.1:${server.address().port}`;
const client = new IntercomClient({ token: "a-token", environment: url });
for (status of [502, 500, 408, 429, 409, 400]) {
  posts = 0;
  await client.contacts.create({ role: "lead", name: "Ada" }).catch(() => {});
  console.log(`${status}: ${posts}`);
}
server.close();
JS
seen=$(node posts.mjs)
echo "$seen"
[[ $seen == "502: 3
500: 3
408: 3
429: 3
409: 1
400: 1" ]] || { echo "This has changed."; exit 1; }
