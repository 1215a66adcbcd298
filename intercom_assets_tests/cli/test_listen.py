"""`listen`: what it says when it begins, and the mistakes that end it in one sentence."""

import socket

import requests

from intercom_assets_tests.cli.conftest import Shell
from intercom_assets_tests.inbound.processes import a_listening_process


def test_it_needs_a_secret(shell: Shell) -> None:
    done = shell.run("listen", INTERCOM_CLIENT_SECRET="")

    assert done.exit_code == 1
    assert done.output.startswith("Error: INTERCOM_CLIENT_SECRET is not set: ")
    assert "Traceback" not in done.output


def test_it_needs_the_address_of_our_own_tables(shell: Shell) -> None:
    done = shell.run("listen", INTERCOM_CLIENT_SECRET="x", APP_DATABASE_URL="")

    assert done.exit_code == 1
    assert "SYNC_DATABASE_URL is not set" in done.output


def test_a_port_that_is_taken_is_one_sentence(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = shell.run("listen", "--port", port, INTERCOM_CLIENT_SECRET="x")

    assert done.exit_code == 1
    assert f"127.0.0.1, port {port}, cannot be listened on" in done.output


def test_an_address_that_is_none_of_this_machine_is_one_sentence(shell: Shell) -> None:
    done = shell.run("listen", "--host", "no such host", INTERCOM_CLIENT_SECRET="x")

    assert done.exit_code == 1
    assert "cannot be listened on" in done.output
    assert "Traceback" not in done.output


def test_it_listens_though_our_own_tables_do_not_answer_yet_and_needs_no_token() -> None:
    with a_listening_process("postgresql://me@127.0.0.1:1/nothing") as process:
        assert requests.head(process.url + "/webhooks", timeout=30).status_code == 200
        assert requests.get(process.url + "/healthz", timeout=30).status_code == 503
        assert process.post(b'{"topic": "ping"}').status_code == 503
