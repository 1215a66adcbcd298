"""`check --probe`: what will be made, what was measured, and what follows from it.

Belongs here: how that is printed, and that a signal ends it once all is deleted. Must not: measure,
which is `sync/operator/probe`'s.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import click

from intercom_assets.cli.failures import CommandFailed
from intercom_assets.cli.interruptible import ending_after_the_chunk
from intercom_assets.cli.output.tables import Listing, a_console, plain
from intercom_assets.sync.context.probed import CLEARS, IGNORED, REFUSED, Probed, write_probed
from intercom_assets.sync.environment import INTERCOM_ACCESS_TOKEN, opened, read_environment
from intercom_assets.sync.operator.probe.engine import Preparation, Report, prepare_probe, probe
from intercom_assets.sync.operator.probe.waiting import ProbePatience


@dataclass(frozen=True, slots=True)
class ProbeQuestion:
    """`follows`: what it means for a sync, by what was measured."""

    field: str
    question: str
    follows: Mapping[object, str]


def _yes_no(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value))


ROWS = (
    ProbeQuestion(
        "bulk_offered",
        "May the token make bulk calls (Preview)?",
        {True: "", False: "all calls are made one by one"},
    ),
    ProbeQuestion(
        "items_count_as_calls",
        "Does each item of a bulk call count against the limit?",
        {True: "bulk calls save no time", False: "a bulk call is one call"},
    ),
    ProbeQuestion(
        "attach_creates_companies",
        "Does attaching an unknown company make it?",
        {True: "companies are made before, as ever", False: ""},
    ),
    ProbeQuestion(
        "null_in_bulk",
        "What does a null inside an item do?",
        {
            REFUSED: "values are cleared one by one, as ever",
            IGNORED: "values are cleared one by one, as ever",
            CLEARS: "values are cleared one by one all the same: it is not documented",
        },
    ),
    ProbeQuestion("index_lag_s", "How late does a search find a new contact?", {}),
    ProbeQuestion("in_list_limit", "How many values does IN take, at least?", {}),
    ProbeQuestion(
        "names_escaped",
        "Does a name come back HTML-escaped?",
        {True: "it is unescaped when read", False: "it is taken as it is"},
    ),
    ProbeQuestion(
        "emails_unique",
        "Is a second user with the same e-mail refused?",
        {True: "`status --shared-emails` names whom that concerns", False: ""},
    ),
    ProbeQuestion(
        "writes_fire_webhooks",
        "Does a write by the API send a webhook?",
        {True: "it is known as an echo and costs no call"},
    ),
)
STOPPING = (
    "Stopping: what was made is deleted first. A second signal ends this at once, and the next "
    "probe deletes it."
)
UNITS = {"index_lag_s": "{:g} s", "in_list_limit": "{:d}"}


def run_probe(save: bool, in_production: bool, as_json: bool) -> None:
    configuration = read_environment()
    if not configuration.token:
        raise CommandFailed(
            f"{INTERCOM_ACCESS_TOKEN} is not set: a probe makes two contacts with it, in a "
            "workspace to develop in, and deletes them again."
        )
    console = a_console(stderr=True)

    def stopping() -> None:
        console.print(STOPPING, soft_wrap=True)

    with opened(configuration) as services, ending_after_the_chunk(stopping) as stop:
        client = services.intercom.with_deadline(None)
        prepared = prepare_probe(services.store, client, in_production=in_production)
        console.print(_announcement(prepared), soft_wrap=True)
        report = probe(
            services.store,
            client,
            prepared.names,
            lambda step: console.print(f"  {step}", soft_wrap=True),
            patience=ProbePatience(stopping=stop.is_set),
        )
        if save:
            write_probed(services.store, report.probed)
    _show(report, prepared, save, as_json)


def _announcement(prepared: Preparation) -> str:
    workspace, names = prepared.workspace, prepared.names
    name = f"{workspace.name} ({workspace.id})" if workspace.name else workspace.id
    return plain(
        f"In the workspace {name} this makes the contacts {' and '.join(names.contacts)} and the "
        f"company {names.company}, and deletes them again; a search may take minutes to find them."
    )


def _show(report: Report, prepared: Preparation, saved: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_document(report, prepared, saved), indent=2))
        return
    console = a_console()
    console.print(_table(report))
    console.print(_after(saved), soft_wrap=True)


def _table(report: Report) -> Listing:
    listing = Listing("What was measured", "question", "answer", "what follows")
    for row in ROWS:
        value = getattr(report.probed, row.field)
        if value is None:
            listing.add(row.question, "not known", plain(report.open.get(row.field, "")))
        else:
            text = UNITS[row.field].format(value) if row.field in UNITS else _yes_no(value)
            listing.add(row.question, text, row.follows.get(value, ""))
    return listing


def _after(saved: bool) -> str:
    if saved:
        return "All that was made is deleted. What was measured is in the sync's own tables."
    return "All that was made is deleted. --save keeps what was measured in the sync's own tables."


def _document(report: Report, prepared: Preparation, saved: bool) -> dict[str, Any]:
    return {
        "workspace": prepared.workspace.id,
        "saved": saved,
        "measured": {row.field: getattr(report.probed, row.field) for row in ROWS},
        "not_known": report.open,
        "simulator": simulator_settings(report.probed),
    }


def simulator_settings(probed: Probed) -> dict[str, Any]:
    """What makes the simulator behave as this workspace was seen to."""
    nulls = {REFUSED: "reject_item", CLEARS: "clear", IGNORED: "ignore"}
    measured = asdict(probed)
    emails = {True: "always", False: "unless_both_have_external_ids"}
    counts = {True: "item", False: "call"}
    settings = {
        "bulk_counts": counts.get(measured["items_count_as_calls"]),
        "bulk_attach_creates": measured["attach_creates_companies"],
        "bulk_null": nulls.get(measured["null_in_bulk"]),
        "index_delay_s": measured["index_lag_s"],
        "in_list_limit": measured["in_list_limit"],
        "names_escaped": measured["names_escaped"],
        "equal_email": emails.get(measured["emails_unique"]),
    }
    return {name: value for name, value in settings.items() if value is not None}
