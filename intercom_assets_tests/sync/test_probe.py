"""A probe ends with nothing left of it, however it ends; and what it waits for is measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from intercom_assets.database.store.store import Store
from intercom_assets.domain.errors import OperatorError
from intercom_assets.domain.vocabulary import InboundCount, StateKey
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import ServerError, Unavailable
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.wire import Answer
from intercom_assets.sync.context.workspace import WrongWorkspace
from intercom_assets.sync.operator.probe.engine import Report, prepare_probe, probe
from intercom_assets.sync.operator.probe.throwaway import Names, ThingsLeft, Throwaway, new_names
from intercom_assets.sync.operator.probe.waiting import ProbePatience, Stopped
from intercom_assets_tests.in_process import InProcess
from intercom_assets_tests.simulator.asking import Clock

BASE_URL = "http://127.0.0.1:9"


@dataclass
class Others:
    """Who calls with the same limit: so many calls before each bulk call of ours."""

    before_bulk: int = 0


@dataclass
class Probing:
    """A workspace whose time is skipped instead of waited for."""

    store: Store
    clock: Clock
    intercom: Simulator
    client: IntercomClient
    others: Others
    names: Names = field(default_factory=new_names)
    steps: list[str] = field(default_factory=list)
    stop_at: str = "never"

    def probe(self) -> Report:
        patience = ProbePatience(self.clock, self.clock.advance, self._is_to_stop)
        wall = self.clock
        return probe(
            self.store, self.client, self.names, self.steps.append, patience=patience, wall=wall
        )

    def _is_to_stop(self) -> bool:
        return bool(self.steps) and self.steps[-1].startswith(self.stop_at)

    @property
    def there(self) -> list[str]:
        """What is left of it, by our names."""
        contacts = [str(contact["external_id"]) for contact in self.intercom.contacts()]
        return contacts + [str(company["company_id"]) for company in self.intercom.companies()]

    @property
    def noted(self) -> Any:
        return self.store.state.get(StateKey.PROBE_LEFT)


@pytest.fixture
def probing(database: str) -> Iterator[Probing]:
    clock, others = Clock(), Others()
    simulator = Simulator(clock=clock)

    def handle(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        for _ in range(others.before_bulk if "bulk" in path else 0):
            simulator.handle("GET", "/me", headers)
        return simulator.handle(method, path, headers, body)

    client = IntercomClient(
        "demo-token",
        BASE_URL,
        transport=InProcess(handle, clock.advance),
        clock=lambda: clock.now,
        wall=lambda: clock.now,
        sleep=clock.advance,
    )
    with Store(database) as store:
        yield Probing(store, clock, simulator, client.with_deadline(None), others)


@pytest.mark.parametrize("delay", [0, 3, 90])
def test_the_lag_of_the_index_is_measured(probing: Probing, delay: int) -> None:
    probing.intercom.set(index_delay_s=delay)

    lag = probing.probe().probed.index_lag_s

    assert lag is not None
    assert delay <= lag <= delay + 2


def test_an_index_that_never_comes_leaves_two_questions_open_and_the_rest_is_asked(
    probing: Probing,
) -> None:
    probing.intercom.set(index_delay_s=100_000)

    report = probing.probe()

    assert (report.probed.index_lag_s, report.probed.in_list_limit) == (None, None)
    assert {"index_lag_s", "in_list_limit"} <= set(report.open)
    assert report.probed.null_in_bulk == "refused"
    assert probing.there == []


def test_a_job_that_does_not_end_is_noted_so_that_the_next_probe_deletes_what_it_makes(
    probing: Probing,
) -> None:
    probing.intercom.set(bulk_job_delay_s=1000)

    report = probing.probe()

    assert report.probed.attach_creates_companies is None
    assert "did not end" in report.open["attach_creates_companies"]
    assert probing.noted is not None
    assert probing.there == []


def test_other_calls_meanwhile_are_not_taken_for_items(probing: Probing) -> None:
    probing.others.before_bulk = 10

    assert probing.probe().probed.items_count_as_calls is False


@pytest.mark.parametrize("limit", [20, 83, 1666])
@pytest.mark.parametrize("counts", ["item", "call"])
def test_whether_items_count_is_seen_whatever_the_limit_is(
    probing: Probing, counts: str, limit: int
) -> None:
    probing.intercom.set(bulk_counts=counts, rate_limit_per_window=limit)

    assert probing.probe().probed.items_count_as_calls is (counts == "item")


@pytest.mark.parametrize("counts", ["item", "call"])
def test_whether_items_count_is_seen_though_the_window_ends_meanwhile(
    probing: Probing, counts: str
) -> None:
    probing.intercom.set(bulk_counts=counts, bulk_job_delay_s=25)

    assert probing.probe().probed.items_count_as_calls is (counts == "item")


# --- however it ends ---


@pytest.mark.parametrize(
    "endpoint",
    [
        "GET /contacts/{id}",
        "POST /contacts/search",
        "PUT /contacts/bulk",
        "GET /contacts/bulk/{id}",
        "GET /me",
    ],
)
def test_a_call_that_fails_ends_it_and_nothing_is_left(probing: Probing, endpoint: str) -> None:
    fault = {"kind": "error", "status": 503, "endpoint": endpoint, "count": 1000}
    probing.intercom.set(faults=[fault])

    with pytest.raises(Unavailable):
        probing.probe()

    assert probing.there == []
    of_a_job_not_seen_to_end = "bulk" in endpoint
    assert (probing.noted is not None) == of_a_job_not_seen_to_end


def test_a_contact_whose_answer_was_lost_is_deleted(probing: Probing) -> None:
    probing.intercom.set(faults=[{"kind": "lost_reply", "endpoint": "POST /contacts"}])

    with pytest.raises(Unavailable):
        probing.probe()

    assert probing.intercom.contacts(None) != []
    assert probing.there == []


@pytest.mark.parametrize("step", ["how names", "waiting for the search", "what a null"])
def test_stopped_at_any_question_it_deletes_first(probing: Probing, step: str) -> None:
    probing.intercom.set(index_delay_s=20)
    probing.stop_at = step

    with pytest.raises(Stopped):
        probing.probe()

    assert probing.steps[-1] == "deleting what was made"
    assert probing.there == []


def test_what_does_not_go_is_named_and_the_next_probe_deletes_it(probing: Probing) -> None:
    fault = {"kind": "error", "status": 500, "endpoint": "DELETE /contacts/{id}", "count": 1000}
    probing.intercom.set(faults=[fault])

    with pytest.raises(ThingsLeft) as refusal:
        probing.probe()

    assert all(name in str(refusal.value) for name in probing.names.contacts)
    assert probing.there == list(probing.names.contacts)

    probing.intercom.reset("faults")
    probing.names = new_names()
    assert probing.probe().probed.names_escaped is True
    assert probing.steps.count("deleting what an earlier probe left") == 1
    assert (probing.there, probing.noted) == ([], None)


def test_a_probe_that_was_killed_is_cleaned_up_by_the_next(probing: Probing) -> None:
    killed = Throwaway(probing.store, probing.client, new_names())
    killed.note()
    killed.create(0, "a@example.com")

    probing.probe()

    assert (probing.there, probing.noted) == ([], None)


def test_while_something_old_is_left_nothing_new_is_made(probing: Probing) -> None:
    killed = Throwaway(probing.store, probing.client, new_names())
    killed.note()
    killed.create(0, "a@example.com")
    fault = {"kind": "error", "status": 500, "endpoint": "DELETE /contacts/{id}", "count": 1000}
    probing.intercom.set(faults=[fault])

    with pytest.raises(ThingsLeft):
        probing.probe()

    assert probing.there == [killed.names.contacts[0]]


def test_each_error_is_for_the_operator_to_read(probing: Probing) -> None:
    probing.intercom.set(faults=[{"kind": "error", "status": 500, "count": 1000}])

    with pytest.raises(OperatorError) as refusal:
        probing.probe()

    assert isinstance(refusal.value, ThingsLeft)
    assert isinstance(refusal.value.__context__, ServerError)


# --- webhooks ---


def test_a_webhook_that_comes_meanwhile_shows_that_writes_send_them(probing: Probing) -> None:
    probing.intercom.set(index_delay_s=20)
    real = probing.clock.advance

    def listening(seconds: float) -> None:
        real(seconds)
        probing.store.state.count({InboundCount.RECEIVED: 1})

    patience = ProbePatience(probing.clock, listening)
    report = probe(probing.store, probing.client, probing.names, patience=patience)

    assert report.probed.writes_fire_webhooks is True


def test_where_others_send_webhooks_too_it_cannot_be_told(probing: Probing) -> None:
    probing.store.state.count({InboundCount.RECEIVED: 1})

    report = probe(
        probing.store,
        probing.client,
        probing.names,
        patience=ProbePatience(probing.clock, probing.clock.advance),
    )

    assert report.probed.writes_fire_webhooks is None
    assert "others" in report.open["writes_fire_webhooks"]


def test_that_none_came_is_no_proof_that_none_is_sent(probing: Probing) -> None:
    probing.store.state.put(StateKey.WEBHOOK_SEEN, True)

    report = probing.probe()

    assert report.probed.writes_fire_webhooks is None
    assert "None came" in report.open["writes_fire_webhooks"]


# --- where it does not begin ---


def test_a_token_of_another_workspace_than_our_tables_is_refused(probing: Probing) -> None:
    probing.store.state.put(StateKey.WORKSPACE, {"id": "another"})

    with pytest.raises(WrongWorkspace):
        prepare_probe(probing.store, probing.client, in_production=True)
