"""Who is in the sample app: a few awkward people by hand, the others from a fixed seed.

Belongs here: rows as values, the same at every call, so that expected results can be literals. The
numbers of those made by hand have names; the demo's `wander` leaves them alone.
Must not: a connection (`sample_app.py`), the present time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

SEED = 20_260_701
LATEST = datetime(2026, 7, 1, tzinfo=UTC)
"""Nobody signed up or was seen later."""

EVERYTHING, NAMELESS, ONE_LETTER, FROM_OAUTH, NO_EMAIL, UNKNOWN_ZONE = 1, 2, 3, 4, 5, 6
SEVERAL_TEAMS, NO_TEAM, DELETED, ONE_EMAIL, SAME_EMAIL, MIXED_CASE = 7, 8, 9, 10, 11, 12
BLANKS, MONTHLY_PAYER, FIRST_DAY, ODD_NAME = 13, 14, 15, 16
TEAM_OF_MANY, TEAM_WITHOUT_OWNER, TEAM_OF_AN_OUTSIDER, TEAM_OF_NOBODY = 1, 2, 3, 4

MONTHLY_PRICE_CENTS = {"starter": 2_900, "team": 7_900, "business": 15_800}
TEAM_PLANS = {"free": 0, "starter": 29, "team": 79, "business": 158}
FIRST_NAMES = (
    "Ada", "Alan", "Amara", "Barbara", "Carlos", "Chiara", "Dilip", "Edsger", "Fatima", "Frances",
    "Grace", "Hana", "Ingrid", "Joan", "Katherine", "Lars", "Margaret", "Niklaus", "Olu", "Radia",
)  # fmt: skip
LAST_NAMES = (
    "Abadi", "Berg", "Costa", "Dubois", "Eriksen", "Ferrari", "Garcia", "Haas", "Ito", "Jansen",
    "Kowalska", "Lopez", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Silva", "Tanaka",
)  # fmt: skip
WORDS = ("harbor", "lantern", "meadow", "nimbus", "orchard", "pebble", "quartz", "river", "saddle")
ZONES = (
    "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "Europe/London",
    "Europe/Berlin", "Europe/Madrid", "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney", None,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampleUser:
    """A row of `users`, its fields in the order of the table's columns."""

    id: int
    email: str | None
    name: str | None
    phone_number: str | None = None
    time_zone: str | None = "Europe/London"
    created_at: datetime = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
    last_request_at: datetime | None = datetime(2026, 6, 30, 16, 45, 12, tzinfo=UTC)
    oauth_provider: str | None = None
    plan: str = "free"
    billing_period: str | None = None
    monthly_price_cents: int | None = None
    subscribed_on: date | None = None
    sessions_this_month: int = 0
    minutes_this_month: float = 0.0
    deleted_at: datetime | None = None
    updated_at: datetime = LATEST


@dataclass(frozen=True, slots=True)
class SampleTeam:
    """A row of `teams`."""

    id: int
    domain: str
    owner_id: int | None
    plan: str
    monthly_spend: float
    created_at: datetime
    updated_at: datetime = LATEST


AWKWARD_USERS = (
    SampleUser(
        EVERYTHING, "ada@lantern.example", "Ada Okafor", "+12025550101", plan="business",
        billing_period="year", monthly_price_cents=15_800, subscribed_on=date(2025, 1, 15),
        sessions_this_month=412, minutes_this_month=1_830.5,
    ),
    SampleUser(NAMELESS, "nameless@lantern.example", None),
    SampleUser(ONE_LETTER, "m@lantern.example", "M"),
    SampleUser(FROM_OAUTH, "oauth@lantern.example", None, oauth_provider="google"),
    SampleUser(NO_EMAIL, None, "Noah Silva", "+12025550105"),
    SampleUser(UNKNOWN_ZONE, "zed@meadow.example", "Zed Novak", time_zone="Mars/Olympus_Mons"),
    SampleUser(SEVERAL_TEAMS, "sara@meadow.example", "Sara Ito", time_zone="Asia/Tokyo"),
    SampleUser(NO_TEAM, "solo@river.example", "Solveig Berg", time_zone=None),
    SampleUser(
        DELETED, "gone@river.example", "Gordon Haas",
        deleted_at=datetime(2026, 5, 20, 8, 0, tzinfo=UTC),
    ),
    SampleUser(ONE_EMAIL, "shared@pebble.example", "Priya Costa"),
    SampleUser(SAME_EMAIL, "shared@pebble.example", "Paul Costa"),
    SampleUser(MIXED_CASE, "Grace.Hopper@Quartz.Example", "Grace Jansen"),
    SampleUser(BLANKS, "blank@quartz.example", "   ", "", last_request_at=None),
    SampleUser(
        MONTHLY_PAYER, "monthly@harbor.example", "Mona Rossi", "+12025550114", plan="business",
        billing_period="month", monthly_price_cents=15_800, subscribed_on=date(2025, 11, 3),
        sessions_this_month=87, minutes_this_month=240.0,
    ),
    SampleUser(
        FIRST_DAY, "first@harbor.example", "Femi Petrov",
        last_request_at=datetime(2026, 6, 30, 23, 59, 59, 750_000, tzinfo=UTC),
    ),
    SampleUser(ODD_NAME, "odd@harbor.example", "Zoë O'Brien-Łukasz 🌻"),
)  # fmt: skip

FOUNDED = datetime(2023, 9, 1, 12, 0, tzinfo=UTC)
AWKWARD_TEAMS = (
    SampleTeam(TEAM_OF_MANY, "lantern.example", EVERYTHING, "business", 1_580.00, FOUNDED),
    SampleTeam(TEAM_WITHOUT_OWNER, "meadow.example", None, "team", 79.50, FOUNDED),
    SampleTeam(TEAM_OF_AN_OUTSIDER, "river.example", MONTHLY_PAYER, "starter", 29.00, FOUNDED),
    SampleTeam(TEAM_OF_NOBODY, "pebble.example", None, "free", 0.00, FOUNDED),
)
AWKWARD_MEMBERSHIPS = (
    (EVERYTHING, TEAM_OF_MANY), (NAMELESS, TEAM_OF_MANY), (ONE_LETTER, TEAM_OF_MANY),
    (FROM_OAUTH, TEAM_OF_MANY), (NO_EMAIL, TEAM_WITHOUT_OWNER), (UNKNOWN_ZONE, TEAM_WITHOUT_OWNER),
    (SEVERAL_TEAMS, TEAM_OF_MANY), (SEVERAL_TEAMS, TEAM_WITHOUT_OWNER),
    (SEVERAL_TEAMS, TEAM_OF_AN_OUTSIDER), (DELETED, TEAM_WITHOUT_OWNER),
    (MIXED_CASE, TEAM_OF_AN_OUTSIDER),
)  # fmt: skip


def sample_users(count: int) -> Iterator[SampleUser]:
    """Users 1 to `count`: the awkward ones, then ordinary ones."""
    yield from AWKWARD_USERS[:count]
    random = Random(SEED)
    for number in range(len(AWKWARD_USERS) + 1, count + 1):
        yield _ordinary_user(number, random)


def sample_teams(count: int, users: int) -> Iterator[SampleTeam]:
    """Teams 1 to `count`, owned by users of 1 to `users`."""
    for team in AWKWARD_TEAMS[:count]:
        yield replace(team, owner_id=None) if (team.owner_id or 0) > users else team
    random = Random(SEED + 1)
    for number in range(len(AWKWARD_TEAMS) + 1, count + 1):
        yield _ordinary_team(number, users, random)


def sample_memberships(users: int, teams: int) -> Iterator[tuple[int, int]]:
    """Pairs of user and team, each once. Ordinary users are in ordinary teams: none, or up to 3."""
    for user, team in AWKWARD_MEMBERSHIPS:
        if user <= users and team <= teams:
            yield user, team
    ordinary = range(len(AWKWARD_TEAMS) + 1, teams + 1)
    random = Random(SEED + 2)
    for user in range(len(AWKWARD_USERS) + 1, users + 1):
        wanted = random.choices((0, 1, 2, 3), weights=(5, 75, 15, 5))[0]
        for team in sorted(random.sample(ordinary, min(wanted, len(ordinary)))):
            yield user, team


def _ordinary_user(number: int, random: Random) -> SampleUser:
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    created = LATEST - timedelta(seconds=random.randrange(2 * 86_400, 1_800 * 86_400))
    plan = random.choices(("free", "starter", "team", "business"), weights=(40, 25, 20, 15))[0]
    paying = plan != "free"
    since = created.date() + timedelta(days=1)
    sessions = random.randrange(500) if paying else random.randrange(20)
    return SampleUser(
        id=number,
        email=f"{first}.{last}.{number}@{_word(number)}.example".lower(),
        name=f"{first} {last}" if random.random() < 0.9 else None,
        phone_number=f"+1202555{number % 10_000:04}" if random.random() < 0.4 else None,
        time_zone=random.choice(ZONES),
        created_at=created,
        last_request_at=LATEST - timedelta(seconds=random.randrange(1, 86_400)),
        oauth_provider=random.choices((None, "google", "github"), weights=(80, 15, 5))[0],
        plan=plan,
        billing_period=random.choice(("month", "year")) if paying else None,
        monthly_price_cents=MONTHLY_PRICE_CENTS.get(plan),
        subscribed_on=since if paying else None,
        sessions_this_month=sessions,
        minutes_this_month=round(sessions * random.uniform(1, 9), 1),
    )


def _ordinary_team(number: int, users: int, random: Random) -> SampleTeam:
    plan = random.choice(tuple(TEAM_PLANS))
    first = len(AWKWARD_USERS) + 1
    return SampleTeam(
        id=number,
        domain=f"{_word(number)}-{number}.example",
        owner_id=random.randrange(first, users + 1) if users >= first else None,
        plan=plan,
        monthly_spend=float(TEAM_PLANS[plan] * random.randrange(1, 9)),
        created_at=LATEST - timedelta(seconds=random.randrange(86_400, 1_800 * 86_400)),
    )


def _word(number: int) -> str:
    return WORDS[number % len(WORDS)]
