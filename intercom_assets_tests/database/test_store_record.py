"""Recording a chunk: what is kept, whose link it is, and what an overtaken run may still write."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import UUID, uuid4

import psycopg
import pytest

from intercom_assets.database.records import (
    Done,
    Failure,
    InFlight,
    Recorded,
    RetryIn,
    TeamRecord,
    UserRecord,
)
from intercom_assets.database.store.store import Store
from intercom_assets.domain.fields import Policy
from intercom_assets.domain.models import (
    Company,
    Contact,
    EdgeState,
    JournalEntry,
    Membership,
    Side,
    TeamLink,
    UserLink,
)
from intercom_assets.domain.vocabulary import Action, QueueKind

USER, TEAM = QueueKind.USER, QueueKind.TEAM


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


def lease(store: Store, *keys: str, kind: QueueKind = USER) -> UUID:
    token = uuid4()
    store.queue.enqueue(kind, keys)
    leased = store.queue.lease(kind, "run", token=token, limit=len(keys), seconds=30, keys=keys)
    assert len(leased) == len(keys)
    return token


def overtake(store: Store, *keys: str) -> UUID:
    """The lease of another run runs out, and a new run takes the rows."""
    with psycopg.connect(store.url) as connection:
        connection.execute("update intercom_sync.queue set claim_until = now() - interval '1 s'")
    token = uuid4()
    assert store.queue.lease(USER, "other", token=token, limit=99, seconds=30, keys=keys)
    return token


def a_link(key: str = "7", contact: str | None = "c7", **known: object) -> UserLink:
    return replace(UserLink(key, contact, row_hash="h"), **known)  # type: ignore[arg-type]


def record(store: Store, token: UUID, *links: UserLink) -> Recorded:
    return store.records.record_users(token, "run", [UserRecord(link, Done()) for link in links])


def test_a_pass_is_remembered_whole(store: Store) -> None:
    link = a_link(
        shadow=Contact("c7", "user", name="Ada", custom_attributes={"plan": "pro"}),
        shadow_read_at=1_700_000_000,
        base={"name": "Ada"},
        accepted={"phone_number": ("+1 5", "+15")},
        edges={"t1": Membership("t1", "co1", EdgeState.ATTACHED)},
        synced_at=1_700_000_002,
    )

    recorded = record(store, lease(store, "7"), link)

    assert recorded == Recorded()
    assert store.links.users(["7", "8"]) == {"7": link}
    assert store.links.by_contact(["c7", "c8"]) == {"c7": "7"}
    assert store.linked.hashes(["7", "8"]) == {"7": "h"}
    assert store.queue.depth()[USER].leased == 0


def test_edges_that_are_no_longer_wanted_go_and_nobody_elses_do(store: Store) -> None:
    def edges(*teams: str) -> dict[str, Membership]:
        return {team: Membership(team, f"co-{team}", EdgeState.ATTACHED) for team in teams}

    record(
        store,
        lease(store, "7", "8"),
        a_link("7", edges=edges("a", "b")),
        a_link("8", "c8", edges=edges("a")),
    )

    record(store, lease(store, "7"), a_link("7", edges=edges("b", "c")))

    links = store.links.users(["7", "8"])
    assert links["7"].edges == edges("b", "c")
    assert links["8"].edges == edges("a")
    assert store.linked.members_of_teams(["a", "c"]) == ["7", "8"]


def test_what_is_about_to_be_sent_is_noted_before_and_cleared_when_it_is_done(
    store: Store,
) -> None:
    token = lease(store, "7")

    lost = store.records.note_in_flight(
        token,
        [InFlight("7", {"name": "Ada"}, [Membership("t1", "co1", EdgeState.ATTACHING)])],
    )
    store.records.note_in_flight(token, [InFlight("7", {"plan": None})])

    assert lost == frozenset()
    noted = store.links.users(["7"])["7"]
    assert noted.contact_id is None
    assert noted.in_flight == {"name": "Ada", "plan": None}
    assert noted.edges == {"t1": Membership("t1", "co1", EdgeState.ATTACHING)}
    record(store, token, replace(noted, contact_id="c7", edges={}))
    assert store.links.users(["7"])["7"].in_flight == {}
    assert store.links.users(["7"])["7"].edges == {}


def test_a_pass_that_failed_keeps_what_may_have_landed(store: Store) -> None:
    token = lease(store, "7")
    store.records.note_in_flight(token, [InFlight("7", {"name": "Ada"})])

    link = a_link(contact=None, in_flight={"name": "Ada"})
    store.records.record_users(token, "run", [UserRecord(link, RetryIn(5, Failure("no answer")))])

    assert store.links.users(["7"])["7"].in_flight == {"name": "Ada"}


def test_nothing_is_noted_for_a_user_whom_another_run_took_over(store: Store) -> None:
    token = lease(store, "7", "8")
    overtake(store, "7")

    lost = store.records.note_in_flight(
        token, [InFlight("7", {"name": "A"}), InFlight("8", {"name": "B"})]
    )

    assert lost == {"7"}
    assert store.links.users(["7", "8"]).keys() == {"8"}


def test_an_overtaken_run_writes_nothing_but_its_journal_and_the_user_is_read_again(
    store: Store,
) -> None:
    ours = lease(store, "7")
    theirs = overtake(store, "7")
    newer = a_link(base={"name": "newer"})
    older = a_link(base={"name": "older"}, row_hash="old")

    recorded = store.records.record_users(
        ours,
        "run",
        [UserRecord(older, Done(), [JournalEntry(QueueKind.USER, "7", Action.PUSHED, "name")])],
    )
    record(store, theirs, newer)

    assert recorded.lost == {"7"}
    assert store.links.users(["7"])["7"] == replace(newer, needs_read=True)
    assert store.queue.due(USER).sole_key == "7"
    assert [row.entry.action for row in store.journal.of_key("7")] == ["pushed"]


def test_an_overtaken_run_queues_the_user_also_if_the_other_run_is_done(store: Store) -> None:
    ours = lease(store, "7")
    record(store, overtake(store, "7"), a_link())
    assert store.queue.due(USER).count == 0

    assert record(store, ours, a_link(base={"name": "older"})).lost == {"7"}

    [leased] = store.queue.lease(USER, "next", token=uuid4(), limit=1, seconds=30)
    assert leased.needs_read
    assert store.links.users(["7"])["7"].base == {}


def test_a_lease_that_ran_out_and_that_nobody_took_may_still_be_recorded(store: Store) -> None:
    token = lease(store, "7")
    with psycopg.connect(store.url) as connection:
        connection.execute("update intercom_sync.queue set claim_until = now() - interval '1 s'")

    assert record(store, token, a_link()).lost == frozenset()


def test_recording_twice_asks_for_a_read_and_loses_nothing(store: Store) -> None:
    """As after a commit whose answer was lost with the connection."""
    token = lease(store, "7")
    record(store, token, a_link())

    assert record(store, token, a_link()).lost == {"7"}
    assert store.queue.due(USER).sole_key == "7"


def test_a_contact_belongs_to_one_user_and_the_rest_of_the_chunk_goes_on(store: Store) -> None:
    record(store, lease(store, "1"), a_link("1", "taken"))
    token = lease(store, "2", "3")

    recorded = record(store, token, a_link("2", "taken"), a_link("3", "c3"))

    assert recorded.conflicts.keys() == {"2"}
    assert "linked to id 1" in recorded.conflicts["2"].message
    assert store.links.by_contact(["taken", "c3"]) == {"taken": "1", "c3": "3"}
    [parked] = store.queue.parked()
    assert (parked.key, parked.error) == ("2", recorded.conflicts["2"])


def test_two_users_of_one_chunk_cannot_both_have_a_contact(store: Store) -> None:
    recorded = record(store, lease(store, "1", "2"), a_link("2", "same"), a_link("1", "same"))

    assert recorded.conflicts.keys() == {"2"}
    assert store.links.by_contact(["same"]) == {"same": "1"}


def test_a_contact_can_pass_from_one_user_to_another_in_one_chunk(store: Store) -> None:
    record(store, lease(store, "1", "2"), a_link("1", "x"), a_link("2", "y"))

    recorded = record(store, lease(store, "1", "2"), a_link("1", "y"), a_link("2", "x"))

    assert recorded.conflicts == {}
    assert store.links.by_contact(["x", "y"]) == {"x": "2", "y": "1"}


def test_two_runs_that_link_one_contact_at_the_same_time_end_with_one_owner(store: Store) -> None:
    for attempt in range(10):
        contact, together = f"c{attempt}", Barrier(2)
        tokens = {key: lease(store, key) for key in ("1", "2")}

        def link(
            key: str, token: UUID, contact: str = contact, together: Barrier = together
        ) -> Recorded:
            together.wait()
            return record(store, token, a_link(key, contact))

        with ThreadPoolExecutor(2) as pool:
            ends = list(pool.map(link, tokens, tokens.values()))

        assert sum(len(end.conflicts) for end in ends) == 1
        assert len(store.links.by_contact([contact])) == 1


def test_teams_are_recorded_with_their_company_and_no_two_share_one(store: Store) -> None:
    token = lease(store, "1", "2", kind=TEAM)
    link = TeamLink("1", "co1", "h", Company("co1", name="A"), 1_700_000_000, {"name": "A"})

    recorded = store.records.record_teams(
        token,
        "run",
        [TeamRecord(link, Done()), TeamRecord(TeamLink("2", "co1"), Done())],
    )

    assert recorded.conflicts["2"].message.startswith("the company in Intercom is already linked")
    assert store.links.teams(["1", "2"]) == {"1": link}
    assert store.links.by_company(["co1"]) == {"co1": "1"}
    assert store.linked.hashes(["1"], TEAM) == {"1": "h"}
    assert store.links.count(TEAM) == 1
    assert [row.key for row in store.queue.parked(TEAM)] == ["2"]


def test_the_journal_tells_a_user_and_a_run_what_was_written_and_why(store: Store) -> None:
    entries = [
        JournalEntry(
            QueueKind.USER,
            "7",
            Action.PUSHED,
            "name",
            Side.INTERCOM,
            None,
            "Ada",
            "app wins",
            "req-1",
        ),
        JournalEntry(QueueKind.USER, "7", Action.PULLED, "seats", Side.APP, 1, 2.5, "fill"),
    ]
    token = lease(store, "7")

    store.records.record_users(token, "r9", [UserRecord(a_link(), Done(), entries)])

    assert [row.entry for row in store.journal.of_run("r9")] == entries
    assert [row.entry for row in store.journal.of_key("7", limit=1)] == entries[1:]
    assert store.journal.of_key("7", kind=TEAM) == []
    assert store.journal.of_key("7")[0].run_id == "r9"


def test_a_journal_without_values_keeps_the_names_of_fields(database: str) -> None:
    with Store(database, journal_values=False) as store:
        store.journal.add(
            "cli", [JournalEntry(QueueKind.USER, "7", Action.PUSHED, "name", old="A", new="B")]
        )

        [row] = store.journal.of_key("7")

    assert (row.entry.field, row.entry.old, row.entry.new) == ("name", None, None)


def test_linked_ids_come_in_order_and_in_chunks(store: Store) -> None:
    ids = [f"{n:02}" for n in range(7)]
    record(
        store, lease(store, *ids), *(a_link(key, f"c{key}") for key in ids[1:]), a_link("00", None)
    )

    assert list(store.linked.ids(chunk=4)) == [["01", "02", "03", "04"], ["05", "06"]]
    assert store.links.count() == 6


def test_a_text_that_postgresql_cannot_hold_does_not_stop_its_chunk(store: Store) -> None:
    odd = Contact("c7", "user", name="A\x00da \ud83d")

    record(store, lease(store, "7", "8"), a_link(shadow=odd), a_link("8", "c8"))

    shadow = store.links.users(["7", "8"])["7"].shadow
    assert shadow is not None
    assert shadow.name == "Ada "


def test_a_chunk_is_recorded_as_a_whole_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks at each statement of the recording in turn."""
    token = lease(store, "7")
    edge = {"t": Membership("t", "co", EdgeState.ATTACHED)}
    chunk = [
        UserRecord(a_link(edges=edge), Done(), [JournalEntry(QueueKind.USER, "7", Action.PUSHED)])
    ]
    for abort_at in range(8):
        breaking(monkeypatch, abort_at)
        with pytest.raises(ConnectionError):
            store.records.record_users(token, "run", chunk)
        monkeypatch.undo()
        assert store.journal.of_key("7") == []
        assert store.links.users(["7"]) == {}
        assert store.queue.depth()[USER].leased == 1

    assert store.records.record_users(token, "run", chunk) == Recorded()
    assert store.links.users(["7"])["7"].edges == edge
    assert store.queue.depth()[USER].leased == 0


def breaking(monkeypatch: pytest.MonkeyPatch, statements: int) -> None:
    """After so many statements the next raises."""
    execute: Callable[..., object] = psycopg.Cursor.execute
    left = iter(range(statements))

    def counted(cursor: object, sql: bytes, *rest: object, **more: object) -> object:
        if b"begin" not in sql and next(left, None) is None:
            raise ConnectionError
        return execute(cursor, sql, *rest, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)


@pytest.mark.parametrize("values", [True, False])
def test_what_an_overtaken_run_did_is_told_once_whoever_tells_it(
    database: str, values: bool
) -> None:
    """By itself if it lives, and by the run that took over, if that finds it done."""
    own = JournalEntry(QueueKind.USER, "7", Action.PUSHED, "name", Side.INTERCOM, "Ada", "Bea")
    with Store(database, journal_values=values) as store:
        token = lease(store, "7")
        other = overtake(store, "7")

        found = [UserRecord(a_link(), Done(), [replace(own, by="run")])]
        store.records.record_users(other, "other", found)
        store.records.record_users(token, "run", [UserRecord(a_link(), Done(), [own])])

        assert [row.entry.action for row in store.journal.of_run("run")] == ["pushed"]
        assert store.journal.of_run("other") == []


def test_a_team_is_noted_field_by_field_until_it_is_recorded(store: Store) -> None:
    token = lease(store, "30", kind=TEAM)

    store.records.note_teams_in_flight(token, {"30": {"plan": "free"}})
    lost = store.records.note_teams_in_flight(token, {"30": {"size": 4}, "31": {"plan": "pro"}})

    assert lost == {"31"}
    assert store.links.teams(["30"])["30"].in_flight == {"plan": "free", "size": 4}
    store.records.record_teams(token, "run", [TeamRecord(TeamLink("30", "co30"), Done())])
    assert store.links.teams(["30"])["30"].in_flight == {}


def test_a_policy_that_was_journaled_by_its_former_name_is_read_by_its_present_one(
    store: Store, database: str
) -> None:
    entry = JournalEntry(QueueKind.USER, "7", Action.PUSHED, "seen", policy=Policy.LATER_VALUE)
    store.journal.add("cli", [entry])
    with psycopg.connect(database) as connection:
        connection.execute("update intercom_sync.journal set policy = 'latest'")

    [row] = store.journal.of_key("7")

    assert row.entry.policy is Policy.LATER_VALUE
