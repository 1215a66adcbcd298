"""`intercom-assets listen` as a process of its own, which can be killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from intercom_assets.inbound.signatures import WEBHOOK
from intercom_assets.sync import environment
from intercom_assets_tests.inbound.listening import SECRET


@dataclass(frozen=True)
class ListeningProcess:
    """`url`: where it answers."""

    popen: "subprocess.Popen[str]"
    url: str

    def post(self, body: bytes, path: str = "/webhooks") -> requests.Response:
        headers = {WEBHOOK.header: WEBHOOK.sign(body, SECRET)}
        return requests.post(self.url + path, body, headers=headers, timeout=30)


@contextmanager
def a_listening_process(sync_url: str, **variables: str) -> Iterator[ListeningProcess]:
    """With a secret and the address of our own tables, and with nothing else of ours."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("INTERCOM_", "APP_"))}
    env = {
        **kept,
        environment.SYNC_DATABASE_URL: sync_url,
        environment.INTERCOM_CLIENT_SECRET: SECRET.decode(),
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    command = [sys.executable, "-m", "intercom_assets.cli.main", "listen", "--port", "0"]
    popen = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert popen.stdout is not None
        line = popen.stdout.readline()
        assert line.startswith("Listening at http"), line
        yield ListeningProcess(popen, line.split()[2])
    finally:
        popen.kill()
        popen.wait()
        if popen.stdout:
            popen.stdout.close()
