"""What a walk is: settings, and rounds of steps, made from a seed. Plain data, so it can be cut.

A step names its user and team by slot; one that cannot be taken just then does nothing. That keeps
every cut of a walk a walk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

USERS, TEAMS = (1, 2, 3, 4), (1, 2, 3)
POLICIES = ("app", "intercom", "fill", "last_writer")
FIELDS = ("name", "phone_number", "time_zone")


@dataclass(frozen=True, slots=True)
class Step:
    """`other`: a second user, or a team. `value`: what is written."""

    kind: str
    user: int = 1
    other: int = 1
    value: Any = None


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Once, before or after the first request that fits: a step, or the death of the run."""

    request: str
    after: bool
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """`faults`: met by the runs after the steps."""

    steps: tuple[Step, ...]
    faults: tuple[Mapping[str, Any], ...] = ()
    meanwhile: tuple[Meanwhile, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """`bulk`: sizes from which on the engine uses bulk calls; none, and they are off."""

    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    simulated: Mapping[str, Any] = field(default_factory=dict)
    rounds: tuple[Round, ...] = ()
    bulk: Mapping[str, int] = field(default_factory=dict)

    def told(self) -> str:
        settings = (self.settings, self.simulated, self.bulk)
        lines = [f"walk {self.seed}: {' '.join(str(dict(each)) for each in settings)}"]
        for number, each in enumerate(self.rounds):
            lines.append(f"  round {number}: {[dict(f) for f in each.faults] or ''}")
            lines += [f"    {meanwhile}" for meanwhile in each.meanwhile]
            lines += [f"    {step}" for step in each.steps]
        return "\n".join(lines)


NAMES = (None, "", "A", "Ada", "Ada L.", "Lady A.", "Zoë", "  Ada ")
PHONES = (None, "", "+441", "+442", "+443")
ZONES = (None, "Europe/London", "Asia/Tokyo", "Tokyo", "US/Pacific", "America/Los_Angeles")
LOCATED = (None, "Europe/London", "Asia/Tokyo", "US/Pacific", "+1000", "Europe/Paris")
COUNTRIES = (None, "JP", "US", "FR", "GB")
SEEN_AGO = (0, 60, 3_000, 90_000)
PICTURES = (None, "https://cdn.example.com/1.png", "https://cdn.example.com/2.png", "/3.png")
TEAMMATES = {"pat@example.com": "Pat", "kim@example.com": "Kim"}
OWNERS = (None, "pat@example.com", " Kim@Example.com", "nobody@example.com")
FLAGS = (None, True, False)
TAGS = ("vip", "beta", "gold")
TAGGED = (
    *(None, (), ("vip",), ("VIP ", "beta"), ("beta", "gold")),
    *(("gold", "vip", "Gold"), (" ", "vip")),
)
RENAMED = (("vip", "gold"), ("beta", "vip"), ("gold", "other"), ("other", "beta"))
EMAILS = tuple(f"u{user}@example.com" for user in USERS)

WEIGHTS: Mapping[str, int] = {
    "insert": 10,
    "app_name": 6,
    "app_long_name": 3,
    "app_phone_number": 5,
    "app_time_zone": 4,
    "app_plan": 3,
    "app_seen": 4,
    "app_oauth": 2,
    "app_picture": 3,
    "app_owner": 3,
    "app_verified": 3,
    "app_opt_out": 4,
    "app_tags": 6,
    "app_team_tags": 5,
    "tag": 3,
    "untag": 3,
    "team_tag": 2,
    "team_untag": 2,
    "rename_tag": 1,
    "delete_tag": 1,
    "picture": 2,
    "owner": 2,
    "opt_out": 4,
    "app_email": 3,
    "app_email_case": 1,
    "app_email_of": 3,
    "app_email_none": 1,
    "swap_emails": 2,
    "soft_delete": 3,
    "restore": 3,
    "hard_delete": 3,
    "join": 7,
    "leave": 4,
    "team_insert": 5,
    "team_delete": 2,
    "team_rename": 2,
    "team_owner": 2,
    "name": 6,
    "phone": 4,
    "located": 4,
    "country": 3,
    "zone_attribute": 1,
    "email": 2,
    "seen": 3,
    "plan_attribute": 2,
    "deleted_attribute": 1,
    "archive": 2,
    "unarchive": 2,
    "delete": 1,
    "strip": 2,
    "alter": 1,
    "give_id": 2,
    "swap_ids": 2,
    "merge_away": 1,
    "merge_into_user": 1,
    "lead": 5,
    "named_lead": 2,
    "same_email": 2,
    "same_external_id": 2,
    "attach": 2,
    "detach": 2,
    "attach_other": 2,
    "crowd": 2,
    "company_name": 2,
    "company_delete": 1,
    "archive_attribute": 1,
    "seen_meanwhile": 3,
    "contest": 3,
    "mistake": 2,
    "skip": 2,
    "skip_day": 1,
}
VALUES: Mapping[str, Sequence[Any]] = {
    "app_name": NAMES,
    "app_long_name": ("L", "M"),
    "name": NAMES,
    "named_lead": ("Lead One", "L"),
    "app_phone_number": PHONES,
    "phone": PHONES,
    "app_time_zone": ZONES,
    "located": LOCATED,
    "country": COUNTRIES,
    "zone_attribute": ZONES,
    "app_plan": ("free", "team", "business"),
    "plan_attribute": ("free", "gold", None),
    "app_seen": SEEN_AGO,
    "seen": SEEN_AGO,
    "seen_meanwhile": SEEN_AGO,
    "contest": ("subscription_plan", "email"),
    "mistake": (False, True),
    "app_email": (*EMAILS, "new@example.com"),
    "email": ("hand@example.com", *EMAILS),
    "insert": (True, False),
    "company_name": ("By Hand Ltd",),
    "team_rename": ("one.example", "two.example"),
    "app_oauth": (None, "google"),
    "app_picture": PICTURES,
    "picture": PICTURES[:3],
    "app_owner": OWNERS,
    "owner": (None, *TEAMMATES),
    "app_verified": FLAGS,
    "app_tags": TAGGED,
    "app_team_tags": TAGGED,
    **dict.fromkeys(("tag", "untag", "team_tag", "team_untag", "delete_tag"), TAGS),
    "rename_tag": RENAMED,
    "app_opt_out": FLAGS,
    "opt_out": FLAGS[1:],
    "skip": (60, 600, 3_000),
}
FAULTS: Sequence[Mapping[str, Any]] = (
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 503, "when": "after"},
    {"kind": "lost_reply"},
    {"kind": "dropped_connection"},
    {"kind": "rate_limit"},
    {"kind": "truncated_json"},
    {"kind": "wrong_content_type", "when": "after"},
)
ENDPOINTS = (
    *("* /contacts*", "POST /contacts", "PUT /contacts/*", "* /companies*", "* /*tags*"),
    "*",
)
BULK_FAULTS: Sequence[Mapping[str, Any]] = (
    *FAULTS,
    {"kind": "error", "status": 403, "code": "forbidden"},
    {"kind": "error", "status": 404},
    {"kind": "error", "status": 422},
)
BULK_ENDPOINTS = (
    *("POST /contacts/bulk", "PUT /contacts/bulk", "GET /contacts/bulk/*", "* /companies/bulk*"),
    *("POST /contacts/search", "GET /companies/scroll*", "GET /contacts/find_by_external_id/*"),
)
POINTS = (
    *("POST /contacts/bulk", "PUT /contacts/bulk", "GET /contacts/bulk/*", "POST /companies/bulk"),
    *("GET /companies/bulk/*", "POST /contacts/search", "GET /companies/scroll*"),
    *("GET /contacts/find_by_external_id/*", "PUT /contacts/*", "POST /contacts"),
)
MEANWHILE = (
    *("app_plan", "app_email", "app_email_of", "soft_delete", "restore", "hard_delete"),
    *("join", "leave", "team_insert", "team_rename", "team_delete", "app_verified"),
    *("email", "plan_attribute", "deleted_attribute", "archive", "delete", "strip"),
    *("attach", "detach", "company_name", "company_delete"),
)
"""Moves after which it does not matter to the judge what both sides held before the runs."""


def a_walk(seed: int, rounds: int = 8, *, bulk: bool | None = None) -> Walk:
    """`bulk`: whether calls of many items are made; without it, in a third of the walks."""
    random = Random(seed)
    by_bulk = (random.random() < 1 / 3) if bulk is None else bulk
    return Walk(
        seed,
        {**_settings(random), **({"bulk": "preview"} if by_bulk else {})},
        _simulated(random) | (_simulated_bulk(random) if by_bulk else {}),
        tuple(_round(random, first=number == 0, by_bulk=by_bulk) for number in range(rounds)),
        _sizes(random) if by_bulk else {},
    )


def _settings(random: Random) -> Mapping[str, Any]:
    chosen: dict[str, Any] = {
        "fields": {n: random.choice(POLICIES) for n in FIELDS if random.random() < 0.5},
        "on_delete": random.choice(("mark", "archive")),
        "memberships": random.choice(("app", "app", "mirror")),
        "clear_unusable": random.random() < 0.7,
        "chunk_size": random.choice((2, 250)),
    }
    if random.random() < 0.2:
        chosen["fields"]["last_request_at"] = "last_writer"
    return chosen


def _simulated(random: Random) -> dict[str, Any]:
    return {
        "index_delay_s": random.choice((0, 0, 60)),
        "equal_email": random.choice(("unless_both_have_external_ids", "always")),
        "merged_write": random.choice((404, 410)),
        "attach_moves_updated_at": random.random() < 0.5,
        "detach_unattached": random.choice((200, 404)),
    }


def _simulated_bulk(random: Random) -> dict[str, Any]:
    """A job of 400 seconds is not waited for to its end."""
    return {
        "bulk_counts": random.choice(("call", "item")),
        "bulk_item_limit": random.choice((100, 100, 2, 1)),
        "bulk_job_delay_s": random.choice((0, 0, 30, 400)),
        "bulk_job_closes": random.choice(("when_done", "never", "at_once")),
        "bulk_lose_every": random.choice((0, 0, 1, 2, 3)),
        "bulk_lost_state": random.choice(("completed_with_errors", "completed")),
        "bulk_attach_creates": random.random() < 0.5,
        "bulk_null": random.choice(("reject_item", "refuse_call", "clear", "ignore")),
        "bulk_equal_email": random.choice(("always", "as_single")),
        "bulk_since": random.choice(("Preview", "Preview", "2.17")),
    }


def _sizes(random: Random) -> Mapping[str, int]:
    return {
        **dict.fromkeys(("LEAST_USERS", "LEAST_TEAMS", "LEAST_ITEMS"), 1),
        "FEW_TEAMS": random.choice((0, 0, 1, 5)),
        "AT_ONCE": random.choice((1, 2, 100)),
        "ROWS_AT_ONCE": random.choice((1, 3, 100)),
    }


def _round(random: Random, *, first: bool, by_bulk: bool) -> Round:
    steps = [_step(random) for _ in range(random.choice((1, 1, 2, 3, 5)))]
    if first:
        steps = [Step("insert", user, value=random.random() < 0.5) for user in USERS[:3]] + steps
        steps = [Step("team_insert", other=team) for team in TEAMS[:2]] + steps
    faults = [_fault(random) for _ in range(random.choice((0, 0, 0, 1, 2)))]
    if not by_bulk:
        return Round(tuple(steps), tuple(faults))
    faults += [_bulk_fault(random) for _ in range(random.choice((0, 0, 1, 2)))]
    meanwhile = [_meanwhile(random) for _ in range(random.choice((0, 0, 1, 2)))]
    return Round(tuple(steps), tuple(faults), tuple(meanwhile))


def _meanwhile(random: Random) -> Meanwhile:
    step = _step(random, random.choice(MEANWHILE)) if random.random() < 0.6 else None
    return Meanwhile(random.choice(POINTS), random.random() < 0.5, step)


def _step(random: Random, kind: str | None = None) -> Step:
    if kind is None:
        [kind] = random.choices(list(WEIGHTS), list(WEIGHTS.values()))
    values = VALUES.get(kind, (None,))
    return Step(kind, random.choice(USERS), random.choice(TEAMS), random.choice(values))


def _fault(random: Random) -> Mapping[str, Any]:
    fault = {**random.choice(FAULTS), "endpoint": random.choice(ENDPOINTS)}
    return fault | {"count": random.choice((1, 2, 4, 9))}


def _bulk_fault(random: Random) -> Mapping[str, Any]:
    fault = {**random.choice(BULK_FAULTS), "endpoint": random.choice(BULK_ENDPOINTS)}
    return fault | {"count": random.choice((1, 2, 4, 9))}
