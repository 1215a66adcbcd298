"""A failed run is told to a webhook, if there is one; nothing depends on whether it answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import dagster as dg
import pytest

from intercom_assets.orchestration.alerts import failed_runs, message_of
from intercom_assets.orchestration.resources import AlertsResource
from intercom_assets.orchestration.sync_targets import USERS
from intercom_assets.sync.status.webhook import AlertNotSent, checked_webhook, post_alert
from intercom_assets_tests.builders import insert_user
from intercom_assets_tests.orchestration.stage import Ran, Stage


class Listener:
    """Somebody who is told. `answers`: with what status."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.answers = 200
        self.moved_to = ""
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                listener.heard.append(json.loads(self.rfile.read(length)))
                self.send_response(listener.answers)
                self.send_header("Location", listener.moved_to)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/s3cret"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.close()


@pytest.fixture
def failed(stage: Stage) -> Ran:
    ill = insert_user(stage.url, email="ill@example.com", deleted_at="infinity")
    well = insert_user(stage.url, email="well@example.com")
    ran = stage.run(USERS, config={"user_ids": [str(ill), str(well)]})
    assert not ran.succeeded
    return ran


def context_of(ran: Ran) -> dg.RunFailureSensorContext:
    [record] = ran.instance.get_records_for_run(
        ran.run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE
    ).records
    event = record.event_log_entry.dagster_event
    assert event is not None
    return dg.build_run_status_sensor_context(
        sensor_name="failed_runs",
        dagster_event=event,
        dagster_instance=ran.instance,
        dagster_run=ran.run,
    ).for_run_failure()


def told(ran: Ran, webhook: str) -> str:
    answer = failed_runs(context_of(ran), alerts=AlertsResource(webhook=webhook))
    assert isinstance(answer, dg.SkipReason)
    return answer.skip_message or ""


def test_without_an_address_nobody_is_told(failed: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERCOM_ALERT_WEBHOOK", raising=False)

    assert told(failed, "") == "No webhook is set, so no alert is sent."


def test_it_tells_what_failed_how_many_and_where_to_look(
    failed: Ran, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERCOM_ALERT_WEBHOOK", listener.url)

    assert told(failed, "").startswith("Alerted the webhook")

    [message] = listener.heard
    assert message["run_id"] == failed.run.run_id
    assert message["job"] == "sync_users"
    assert message["counts"]["users"] == 2
    assert message["why"] == failed.failure
    assert message["text"].startswith("sync_users failed: 1 user could not be synced")
    assert "ill@example.com" not in json.dumps(message)


def test_an_error_of_the_programs_own_is_told_by_its_kind_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("ada@example.com")

    monkeypatch.setattr("intercom_assets.orchestration.assets.run_step.batch_of", broken)
    ran = stage.run(USERS, config={"user_ids": ["1"]})

    why = message_of(context_of(ran))["why"]

    assert why == "a fault of the program's own (KeyError); the run's page shows it"


def test_a_run_that_the_reaper_failed_is_told_with_its_reason(stage: Stage) -> None:
    run_id = stage.given_run(USERS, dg.DagsterRunStatus.STARTED)
    run = stage.instance.get_run_by_id(run_id)
    assert run is not None
    stage.instance.report_run_failed(run, "The run's process died: its heartbeat ran out.")

    message = message_of(context_of(stage.ran(run_id)))

    assert message["why"] == "The run's process died: its heartbeat ran out."
    assert message["code_location"] == "intercom_assets.definitions"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_refuses_breaks_nothing(
    failed: Ran, listener: Listener, status: int
) -> None:
    listener.answers, listener.moved_to = status, "http://elsewhere.example/"

    assert told(failed, listener.url) == f"No alert was sent: the webhook answered {status}."


def test_one_that_is_not_there_breaks_nothing_and_its_address_is_not_told(failed: Ran) -> None:
    reason = told(failed, "http://127.0.0.1:9/services/s3cret")

    assert reason == "No alert was sent: the webhook was not reached: ConnectionError."
    assert "s3cret" not in repr(AlertsResource(webhook="https://chat.example/s3cret"))


@pytest.mark.parametrize("url", ["http://chat.example/x", "ftp://127.0.0.1/", "chat.example", "x"])
def test_an_address_without_tls_is_refused_unless_it_is_loopback(url: str) -> None:
    with pytest.raises(AlertNotSent, match="must begin with https://"):
        post_alert(url, {})
    assert checked_webhook("https://chat.example/x") == "https://chat.example/x"
