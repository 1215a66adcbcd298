"""What Intercom's Node and Ruby clients put on the wire, and a day of the real API as recorded.

Requests are written down here as those clients build them (headers, bodies, the odd extra key);
neither client is run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from intercom_assets.simulator.simulator import Simulator
from intercom_assets.simulator.wire import Answer
from intercom_assets_tests.simulator.asking import Api, ids, ok, refusal

NODE = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "*",
    "Authorization": "Bearer demo-token",
    "Connection": "keep-alive",
    "Content-Type": "application/json",
    "Intercom-Version": "2.14",
    "Sec-Fetch-Mode": "cors",
    "User-Agent": "intercom-client/7.0.3",
    "X-Fern-Language": "JavaScript",
    "X-Fern-Runtime": "node",
    "X-Fern-Runtime-Version": "v22.11.0",
    "X-Fern-SDK-Name": "intercom-client",
    "X-Fern-SDK-Version": "7.0.3",
}
RUBY = {
    "Accept": "application/vnd.intercom.3+json",
    "Accept-Encoding": "gzip, deflate",
    "AcceptEncoding": "gzip, deflate",
    "Authorization": "Bearer demo-token",
    "Content-Type": "application/json",
    "User-Agent": "Intercom-Ruby/4.2.2",
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends with one client's headers."""

    simulator: Simulator
    headers: Mapping[str, str]

    def __call__(self, method: str, path: str, body: str | None = None) -> Answer:
        raw = b"" if body is None else body.encode()
        return self.simulator.handle(method, path, self.headers, raw)


@pytest.fixture
def node(simulator: Simulator) -> Sender:
    return Sender(simulator, NODE)


@pytest.fixture
def ruby(simulator: Simulator) -> Sender:
    return Sender(simulator, RUBY)


# --- Node, version 2.14 ---


def test_node_makes_changes_and_removes_contacts(node: Sender) -> None:
    made = ok(node("POST", "/contacts", '{"external_id":"70","phone":"+353871234567"}'))
    path = f"/contacts/{made['id']}"

    assert ok(node("PUT", path, '{"name":"Nico Bellic","owner_id":991267459}'))["owner_id"] == (
        991267459
    )
    assert ok(node("GET", path))["name"] == "Nico Bellic"
    assert ok(node("GET", "/contacts/find_by_external_id/70"))["id"] == made["id"]
    assert ok(node("POST", f"{path}/archive"))["archived"] is True
    assert ok(node("POST", f"{path}/unarchive"))["archived"] is False
    assert ok(node("DELETE", path))["deleted"] is True


def test_node_merges_strangers_since_2_14_does_not_ask(node: Sender) -> None:
    user = ok(node("POST", "/contacts", '{"external_id":"70","phone":"+353871234567"}'))
    lead = ok(node("POST", "/contacts", '{"name":"Roman Bowling","role":"lead"}'))

    body = f'{{"from":"{lead["id"]}","into":"{user["id"]}"}}'

    assert ok(node("POST", "/contacts/merge", body))["id"] == user["id"]
    assert node("GET", f"/contacts/{lead['id']}").status == 404


def test_node_pages_by_the_object_under_next(node: Sender, simulator: Simulator) -> None:
    simulator.seed({"count": 5})
    first = ok(node("GET", "/contacts?per_page=3"))
    cursor = first["pages"]["next"]["starting_after"]
    rest = ok(node("GET", f"/contacts?per_page=3&starting_after={cursor}"))
    query = '"query":{"operator":"AND","value":[{"field":"role","operator":"=","value":"user"}]}'
    found = ok(node("POST", "/contacts/search", f'{{{query},"pagination":{{"per_page":5}}}}'))

    assert len(ids(first) + ids(rest)) == 5
    assert found["total_count"] == 5


def test_node_handles_companies(node: Sender) -> None:
    made = ok(
        node(
            "POST",
            "/companies",
            '{"company_id":"c1","name":"BestCompanyInc","monthly_spend":9001,'
            '"plan":"1. Get pizzaid","size":62049,"website":"http://the-best.one",'
            '"industry":"The Best One","remote_created_at":1374138000,"custom_attributes":{}}',
        )
    )
    contact = ok(node("POST", "/contacts", '{"external_id":"70"}'))
    edges = f"/contacts/{contact['id']}/companies"

    assert "notes" not in made
    assert ok(node("POST", edges, f'{{"id":"{made["id"]}"}}'))["user_count"] == 0
    assert ids({"data": ok(node("GET", edges))["companies"]}) == [made["id"]]
    assert ids(ok(node("GET", f"/companies/{made['id']}/contacts"))) == [contact["id"]]
    assert ids(ok(node("POST", "/companies/list?page=1&per_page=35&order=desc"))) == [made["id"]]
    assert ok(node("PUT", f"/companies/{made['id']}", '{"name":"x"}'))["name"] == "x"
    assert node("DELETE", f"{edges}/{made['id']}").status == 200
    assert ok(node("DELETE", f"/companies/{made['id']}"))["deleted"] is True


@pytest.mark.parametrize(("end", "met"), [("empty_page", 404), ("bare_page", None)])
def test_nodes_scroll_runs_into_the_404_behind_the_end(
    node: Sender, simulator: Simulator, end: str, met: int | None
) -> None:
    """It goes on as long as there is a scroll_param, even after an empty page."""
    simulator.set(scroll_end=end)
    simulator.seed({"external_id": "7", "companies": ["t1", "t2"]})
    pages, failed, path = 0, None, "/companies/scroll"
    while path:
        answer = node("GET", path)
        if answer.status != 200:
            failed = answer.status
            break
        page = answer.json()
        pages += 1
        param = page.get("scroll_param")
        path = f"/companies/scroll?scroll_param={param}" if param else ""

    assert (pages, failed) == (2, met)


def test_node_makes_and_changes_attributes(node: Sender) -> None:
    made = ok(
        node(
            "POST",
            "/data_attributes",
            '{"name":"list_cda","model":"contact","data_type":"options",'
            '"options":[{"value":"option1"},{"value":"option2"}]}',
        )
    )
    path = f"/data_attributes/{made['id']}"
    body = '{"archived":false,"description":"Woo","options":[{"value":"1-10"},{"value":"11-20"}]}'

    assert ok(node("PUT", path, body))["options"] == ["1-10", "11-20"]
    assert node("GET", "/data_attributes?model=contact&include_archived=false").status == 200


# --- Ruby, no version ---


def test_ruby_needs_a_type_on_every_object(ruby: Sender) -> None:
    contact = ok(ruby("POST", "/contacts", '{"email":"bob@example.com","role":"user"}'))
    company = ok(ruby("POST", "/companies", '{"company_id":"6","name":"Blue Sun"}'))
    edges = f"/contacts/{contact['id']}/companies"

    assert (contact["type"], company["type"]) == ("contact", "company")
    assert ok(ruby("POST", edges, f'{{"id":"{company["id"]}"}}'))["type"] == "company"
    listed = ok(ruby("GET", edges))
    assert (listed["type"], listed["data"][0]["type"]) == ("list", "company")
    removed = ruby("DELETE", f"{edges}/{company['id']}", f'{{"id":"{company["id"]}"}}')
    assert ok(removed)["type"] == "company"


def test_ruby_saves_all_custom_attributes_every_time(ruby: Sender, simulator: Simulator) -> None:
    simulator.by_hand.create_attribute("plan")
    contact = ok(
        ruby(
            "POST",
            "/contacts",
            '{"email":"bob@example.com","role":"user","custom_attributes":{"plan":"pro"}}',
        )
    )

    saved = ok(
        ruby(
            "PUT",
            f"/contacts/{contact['id']}",
            '{"name":"Bob","custom_attributes":{"plan":"pro"}}',
        )
    )

    assert (saved["name"], saved["custom_attributes"]) == ("Bob", {"plan": "pro"})


def test_ruby_tags_and_untags_companies(ruby: Sender) -> None:
    company = ok(ruby("POST", "/companies", '{"company_id":"6"}'))
    named = f'"name":"Whale","companies":[{{"id":"{company["id"]}"'

    tagged = ok(ruby("POST", "/tags", f'{{"tag_or_untag":"tag",{named}}}]}}'))
    untagged = ok(ruby("POST", "/tags", f'{{"tag_or_untag":"untag",{named},"untag":true}}]}}'))

    assert (tagged["companies"][0]["tagged"], untagged["companies"][0]["tagged"]) == (True, False)
    assert ok(ruby("GET", f"/companies/{company['id']}"))["tags"]["tags"] == []


def test_ruby_saves_a_company_with_both_of_its_ids(ruby: Sender) -> None:
    made = ok(ruby("POST", "/companies", '{"company_id":"6","custom_attributes":{}}'))

    both = f'{{"name":"Blue Sun","custom_attributes":{{}},"id":"{made["id"]}","company_id":"6"}}'
    only_id = f'{{"name":"Red Sun","id":"{made["id"]}"}}'

    assert ok(ruby("POST", "/companies", both))["id"] == made["id"]
    assert ok(ruby("POST", "/companies", only_id))["name"] == "Red Sun"
    assert ok(ruby("GET", "/companies?company_id=6"))["name"] == "Red Sun"


def test_ruby_sends_a_body_with_delete(ruby: Sender) -> None:
    contact = ok(ruby("POST", "/contacts", '{"email":"bob@example.com","role":"lead"}'))

    assert ok(ruby("DELETE", f"/contacts/{contact['id']}", "{}"))["type"] == "contact"


def test_ruby_searches_with_sort_and_pagination(ruby: Sender, simulator: Simulator) -> None:
    simulator.seed({"count": 3})
    query = '"query":{"field":"role","operator":"=","value":"user"}'
    sort = '"sort":{"field":"name","order":"ascending"}'
    first = ok(
        ruby("POST", "/contacts/search", f'{{{query},{sort},"pagination":{{"per_page":2}}}}')
    )
    cursor = first["pages"]["next"]["starting_after"]
    pagination = f'"pagination":{{"per_page":2,"starting_after":"{cursor}"}}'
    second = ok(ruby("POST", "/contacts/search", f"{{{query},{sort},{pagination}}}"))

    assert [item["name"] for item in (*first["data"], *second["data"])] == [
        "User 1",
        "User 2",
        "User 3",
    ]


def test_ruby_reads_the_first_error(ruby: Sender) -> None:
    ok(ruby("POST", "/contacts", '{"external_id":"7"}'))

    answer = ruby("POST", "/contacts", '{"external_id":"7"}')

    assert refusal(answer)[:2] == (409, "conflict")


# --- as recorded, version 2.3, in 2021 ---


@pytest.fixture
def recorded(api: Api) -> Api:
    api.version = "2.3"
    return api


def story(api: Api, *calls: tuple[str, str, Any, int, str | None]) -> None:
    for method, path, body, status, code in calls:
        answer = api.call(method, path, body)
        said = answer.json()["errors"][0]["code"] if answer.status >= 400 else None
        assert (answer.status, said) == (status, code), (method, path, answer.body)


def test_a_user_comes_goes_and_comes_back(recorded: Api) -> None:
    new = {"role": "user", "email": "t@demo.com", "external_id": "t"}
    path = f"/contacts/{ok(recorded.post('/contacts', new))['id']}"

    story(
        recorded,
        ("GET", path, None, 200, None),
        ("POST", f"{path}/archive", {}, 200, None),
        ("GET", path, None, 404, "not_found"),
        ("POST", "/contacts", new, 409, "conflict"),
        ("POST", f"{path}/archive", {}, 200, None),
        ("POST", f"{path}/unarchive", {}, 200, None),
        ("GET", path, None, 200, None),
        ("DELETE", path, {}, 200, None),
        ("POST", "/contacts", new, 409, "conflict"),
        ("POST", f"{path}/unarchive", {}, 400, "bad_request"),
    )


def test_leads_and_users_side_by_side(recorded: Api) -> None:
    lead = {"role": "lead", "email": "t@demo.com", "external_id": "t"}
    first, second = (ok(recorded.post("/contacts", lead)) for _ in range(2))
    path = f"/contacts/{first['id']}"

    story(
        recorded,
        ("PUT", path, {"external_id": "t"}, 200, None),
        ("PUT", path, {"role": "user", "external_id": "t"}, 200, None),
        ("PUT", path, {"role": "lead"}, 400, "client_error"),
        ("PUT", path, {"external_id": None, "email": None}, 200, None),
        ("POST", "/contacts", {"role": "user", "external_id": "t"}, 409, "conflict"),
        ("POST", f"/contacts/{second['id']}/archive", {}, 200, None),
        ("POST", "/contacts", {"role": "user", "email": "t@demo.com"}, 200, None),
    )
    assert first["external_id"] not in ("t", second["external_id"])
    assert ok(recorded.get(path))["external_id"] == "t"


def test_an_empty_search_has_no_pages(recorded: Api) -> None:
    page = ok(
        recorded.post(
            "/contacts/search", {"query": {"field": "email", "operator": "=", "value": "x@y.z"}}
        )
    )

    assert page == {
        "type": "list",
        "data": [],
        "total_count": 0,
        "pages": {"type": "pages", "page": 1, "per_page": 50, "total_pages": 0},
    }
