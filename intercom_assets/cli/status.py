"""How far behind the sync is, whom it gave up on, what it uses; for people and for a monitor.

Works while the app or Intercom is away. Shows ids and counts, no value of a person. What is
counted, and what is an alarm, is `sync/status/overview.py`'s.
"""

import json

import click
from rich.console import Console
from rich.text import Text

from intercom_assets.cli.failures import CommandFailed
from intercom_assets.cli.output.status_document import document
from intercom_assets.cli.output.tables import Listing, a_console, plain
from intercom_assets.cli.output.times import age, utc
from intercom_assets.database.app.app_database import AppDatabase
from intercom_assets.database.app.lookups import SharedEmails
from intercom_assets.database.store.store import Store
from intercom_assets.domain.alarms import LIMITS
from intercom_assets.domain.values import count_of
from intercom_assets.domain.vocabulary import InboundCount
from intercom_assets.mapping.load import load_mapping
from intercom_assets.sync.environment import (
    APP_DATABASE_URL,
    SYNC_DATABASE_URL,
    Configuration,
    ConfigurationError,
    read_environment,
)
from intercom_assets.sync.status.overview import (
    Alarm,
    Capture,
    Overview,
    alarms,
    look_at_capture,
    overview,
)

WEBHOOKS = {
    InboundCount.ECHO: "told nothing new",
    InboundCount.DUPLICATE: "came twice",
    InboundCount.LATE: "came late",
    InboundCount.UNKNOWN: "of other topics",
    InboundCount.REFUSED: "refused for their signature",
    InboundCount.OTHER_WORKSPACE: "of another workspace",
    InboundCount.UNSTORED: "asked to come again, since our tables did not answer",
}
GROUPS = 1_000
"""Shared addresses whose users are named; all are counted."""


def status(conditions: tuple[dict[str, float], ...], shares: bool, as_json: bool) -> None:
    configuration = read_environment()
    shared = _shared_emails(configuration) if shares else None
    with _store(configuration) as store:
        seen = overview(store, lambda: _capture(configuration), configuration.refusal)
    asked = {name: limit for condition in conditions for name, limit in condition.items()}
    found = alarms(seen, {**LIMITS, **asked})
    if as_json:
        click.echo(json.dumps(document(seen, found, shared), indent=2))
    else:
        _print_overview(a_console(), seen, found)
        if shared is not None:
            a_console().print(_sharing(shared))
    if broken := [alarm for alarm in found if alarm.name in asked]:
        raise CommandFailed(f"{'; '.join(map(_sentence, broken))}.")


def _store(configuration: Configuration) -> Store:
    if not configuration.sync_url:
        raise ConfigurationError(
            f"Neither {SYNC_DATABASE_URL} nor {APP_DATABASE_URL} is set, so it is unknown where "
            "the sync's own tables are: set one of them."
        )
    return Store(configuration.sync_url)


def _shared_emails(configuration: Configuration) -> SharedEmails:
    """Raises `AppUnavailable` and `MappingError`."""
    if not configuration.app_url:
        raise ConfigurationError(f"{APP_DATABASE_URL} is not set, and --shared-emails reads it.")
    mapping = load_mapping(configuration.mapping_folder)
    with AppDatabase(configuration.app_url, mapping) as app:
        return app.shared_emails(most=GROUPS)


def _sharing(shared: SharedEmails) -> Listing:
    title = f"{count_of(shared.users, 'user')} share {shared.addresses:,} of their e-mail addresses"
    listing = Listing(title, "users who share one")
    for group in shared.groups:
        listing.add(plain(", ".join(group)))
    return listing


def _capture(configuration: Configuration) -> Capture:
    if not configuration.app_url:
        return Capture(None, None, f"Unknown: {APP_DATABASE_URL} is not set")
    return look_at_capture(
        configuration.app_url, lambda: load_mapping(configuration.mapping_folder)
    )


def _print_overview(console: Console, seen: Overview, found: list[Alarm]) -> None:
    console.print(_queue(seen))
    console.print(_figures(seen))
    if seen.parked:
        console.print(_parked(seen))
        console.print("After fixing the cause: intercom-assets retry --all", highlight=False)
    if seen.failing:
        console.print(_failing(seen))
    if seen.left_out:
        console.print(_left_out(seen))
        again = "Each is sent when its value changes, or after: intercom-assets retry --all"
        console.print(again, highlight=False)
    if any(seen.unwritable.values()):
        console.print(_unwritable(seen))
    if seen.held_count:
        console.print(_held(seen), highlight=False)
    if found:
        console.print(Text("Attention", style="bold red"))
    for alarm in found:
        console.print(Text(f"  {_sentence(alarm)}", style="red"))


def _sentence(alarm: Alarm) -> str:
    if alarm.name in ("off", "stopped", "capture"):
        return f"{alarm.name}: {alarm.sentence}"
    return f"{alarm.name}: {alarm.value:,.0f} {alarm.sentence}, more than {alarm.limit:,.0f}"


def _queue(seen: Overview) -> Listing:
    names = ("due", "in work", "later", "parked", "longest wait")
    listing = Listing("The queue", "", *names, numbers=names)
    for kind, depth in seen.queue.items():
        counts = (depth.due, depth.leased, depth.later, depth.parked)
        listing.add(f"{kind}s", *(f"{count:,}" for count in counts), age(depth.oldest_seconds))
    return listing


def _figures(seen: Overview) -> Listing:
    listing = Listing("", "", "")
    overruled = count_of(seen.overruled, "edit")
    for name, text in {
        "sync": seen.off or f"on; runs in progress: {seen.runs}",
        **{f"{stop.kind}s stopped": f"{utc(stop.at)}: {stop.why}" for stop in seen.stopped},
        "capture": _capture_text(seen.capture),
        "changes, last hour": _lag_text(seen),
        "calls, last hour": _use_text(seen),
        "overruled, last day": f"{overruled} in Intercom; `explain` shows each",
        **({"webhooks, last day": _webhooks_text(seen)} if seen.webhooks.are_used else {}),
        "last sweep": _sweep_text(seen),
        "last audit": _audit_text(seen),
        "shared e-mails": _sharing_text(seen),
    }.items():
        listing.add(name, plain(text))
    return listing


def _capture_text(capture: Capture) -> str:
    waits = f" Changes waiting in its log: {capture.waiting:,}." if capture.waiting else ""
    return f"{capture.sentence}{waits}"


def _lag_text(seen: Overview) -> str:
    lag = seen.lag
    if lag.half is None or lag.most is None or lag.all_of_them is None:
        return "none"
    return (
        f"{lag.changes:,}: half in step {_within(lag.half)}, 95 % {_within(lag.most)}, "
        f"all {_within(lag.all_of_them)}"
    )


def _within(bound: float) -> str:
    return "after more than an hour" if bound == float("inf") else f"within {age(bound)}"


def _use_text(seen: Overview) -> str:
    use = seen.use
    if use.limit_a_minute is None:
        return f"{use.calls:,}; Intercom has not reported its limit yet"
    return (
        f"{use.calls:,}, {use.share:.1%} of Intercom's limit; busiest minute "
        f"{use.busiest_minute:,} of {use.limit_a_minute:,} ({use.busiest_share:.0%}); "
        f"{use.rate_limited:,} rate-limited (429)"
    )


def _webhooks_text(seen: Overview) -> str:
    """Of the counts, those that are not 0."""
    webhooks = seen.webhooks
    last = f"the last at {utc(webhooks.last_at)}" if webhooks.last_at else "none was about a user"
    parts = [f"{webhooks[name]:,} {text}" for name, text in WEBHOOKS.items() if webhooks[name]]
    return "; ".join([f"{webhooks[InboundCount.RECEIVED]:,} taken, {last}", *parts])


def _sweep_text(seen: Overview) -> str:
    if seen.swept is None:
        return "none yet"
    return f"{utc(seen.swept.at)}, {seen.swept.counts.get('queued', 0):,} differed"


def _sharing_text(seen: Overview) -> str:
    counts = seen.swept.counts if seen.swept else {}
    if (users := counts.get("sharing_email")) is None:
        return "not counted yet; the nightly sweep does"
    if not users:
        return "none, as of the last sweep"
    return (
        f"{count_of(users, 'user')} share {counts.get('shared_emails', 0):,}, as of the last "
        "sweep; --shared-emails names them"
    )


def _audit_text(seen: Overview) -> str:
    if seen.audited is None:
        return "none yet"
    counts = seen.audited.counts
    return (
        f"{utc(seen.audited.at)}, {counts.get('queued', 0):,} contacts had drifted, "
        f"{counts.get('missing', 0):,} were missing, {counts.get('duplicates', 0):,} external ids "
        "twice"
    )


def _parked(seen: Overview) -> Listing:
    rest = f", the latest {len(seen.parked)} of {seen.parked_count:,}"
    listing = Listing(
        f"Parked{rest if len(seen.parked) < seen.parked_count else ''}",
        *("who", "since", "tries", "tried again", "why"),
    )
    for row in seen.parked:
        why = row.error.message if row.error else "no reason was recorded"
        again = f"at {utc(row.parked_until)}" if row.parked_until else "when it changes"
        tries = str(row.attempts)
        listing.add(f"{row.kind} {plain(row.key)}", utc(row.parked_at), tries, again, plain(why))
    return listing


def _failing(seen: Overview) -> Listing:
    listing = Listing("Retried at growing intervals", "who", "since", "tries", "why")
    for row in seen.failing:
        why = row.error.message if row.error else "no reason was recorded"
        listing.add(f"{row.kind} {plain(row.key)}", utc(row.since), str(row.tries), plain(why))
    return listing


def _left_out(seen: Overview) -> Listing:
    listing = Listing("Left out; everything else is synced", "field", "of", "such as", "why")
    for item in seen.left_out:
        of = count_of(item.count, item.kind)
        listing.add(plain(item.field), of, plain(item.key), plain(item.why))
    return listing


def _unwritable(seen: Overview) -> Listing:
    title = "Attributes that cannot be written, as of the last run"
    listing = Listing(title, "field", "of", "why")
    for model, fields in seen.unwritable.items():
        for name, why in sorted(fields.items()):
            listing.add(plain(name), model, plain(why))
    return listing


def _held(seen: Overview) -> str:
    counts = [count_of(len(held.keys), kind) for kind, held in seen.held.items() if held.keys]
    since = min(held.since for held in seen.held.values() if held.since)
    return (
        f"Held as gone since {utc(since)}: {' and '.join(counts)}, more than "
        "`max_gone` allows, so held for confirmation. If they really are gone: intercom-assets "
        "retry --gone. If not, fix the query; each is released automatically when it reappears."
    )
