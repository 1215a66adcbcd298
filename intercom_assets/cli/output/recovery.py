"""What `undo` and `erase` print: steps and what became of them, a receipt; or JSON."""

import json
from collections import Counter
from collections.abc import Sequence

import click
from rich.console import Console
from rich.text import Text

from intercom_assets.cli.output.tables import Listing, a_console, cell, plain
from intercom_assets.cli.output.times import utc
from intercom_assets.database.store.store import Store
from intercom_assets.domain.models import Side
from intercom_assets.sync.operator.erasure_receipt import ErasureReceipt
from intercom_assets.sync.operator.undo.steps import Act, StepState, UndoStep

SHOWN = 100
"""Steps that are listed; all are counted, and `--json` has them all."""
ORDER = (
    StepState.FAILED,
    StepState.BUSY,
    StepState.MOVED,
    StepState.DUE,
    StepState.DONE,
    StepState.FINAL,
    StepState.BEFORE,
)
STYLES = {StepState.FAILED: "bold red", StepState.BUSY: "bold red", StepState.MOVED: "yellow"}


def print_steps(
    console: Console, run_id: str, steps: Sequence[UndoStep], undo_run: str | None
) -> None:
    """`undo_run`: the run that took them back; None where they were only planned."""
    columns = ("who", "what", "where", "was", "the run wrote", "now", "state")
    shown = sorted(steps, key=lambda step: ORDER.index(step.state))[:SHOWN]
    listing = Listing(plain(f"What run {run_id} did"), *columns)
    for step in shown:
        listing.add(
            f"{step.kind} {plain(step.key)}",
            _what(step),
            "the app" if step.side is Side.APP else "Intercom",
            *_values(step),
            plain(f"{step.state}: {step.why}" if step.why else step.state),
            style=STYLES.get(step.state, ""),
        )
    console.print(listing)
    if len(steps) > SHOWN:
        console.print(f"... and {len(steps) - SHOWN:,} more; --json has them all", highlight=False)
    counts = Counter(step.state for step in steps)
    totals = ", ".join(f"{counts[state]:,} {state}" for state in ORDER if counts[state])
    console.print(Text(f"{totals or 'nothing was written by it'}."))
    if undo_run is not None:
        console.print(Text(f"Run {undo_run} reverted what is listed as taken back."))
    elif counts[StepState.DUE]:
        console.print(
            "Nothing was written. Run it again with --yes to revert what is due.",
            highlight=False,
        )


def _what(step: UndoStep) -> str:
    match step.act:
        case Act.ATTACHED:
            return f"membership of team {plain(step.what)}"
        case Act.DETACHED:
            return f"membership of company {plain(step.what)}"
        case Act.TAGGED | Act.UNTAGGED:
            return f"tag {plain(step.what)}"
        case _:
            return plain(step.what)


def _values(step: UndoStep) -> tuple[str, str, str]:
    if step.act is Act.EVENT:
        return "", "", ""
    return cell(step.was), cell(step.wrote), cell(step.now)


def step_document(step: UndoStep) -> dict[str, object]:
    return {
        "kind": step.kind,
        "id": step.key,
        "act": step.act,
        "what": step.what,
        "side": step.side,
        "was": step.was,
        "wrote": step.wrote,
        "now": step.now,
        "state": step.state,
        "why": step.why or None,
    }


def print_receipt(console: Console, receipt: ErasureReceipt) -> None:
    facts = Listing(plain(f"Receipt: user {receipt.user_id}"), "", "")
    facts.add("contact", _contact_text(receipt))
    facts.add("look-up by contact id", _answer(receipt.by_id_is_404, receipt))
    facts.add("look-up by external id", _answer(receipt.by_external_id_is_404, receipt))
    facts.add("our own copies", "deleted, what the journal kept of the person included")
    facts.add("from now on", "never created again by a sync, a sweep or a backfill")
    if receipt.left:
        facts.add("left", f"contact {plain(receipt.left)}, another user's: ours was merged into it")
    console.print(facts)
    requests = Listing("Requests", "request", "answer", "request id")
    for request in receipt.requests:
        requests.add(plain(request.call), cell(request.status), cell(request.request_id))
    if receipt.requests:
        console.print(requests)
    if not receipt.complete:
        console.print(Text("Not complete: run erase again.", style="bold red"))


def _contact_text(receipt: ErasureReceipt) -> str:
    if receipt.contact_id is None:
        return "Intercom had no contact for this user"
    if not receipt.deleted:
        return f"{plain(receipt.contact_id)}, which was gone from Intercom already"
    at = f" at {utc(receipt.deleted_at)}" if receipt.deleted_at else ""
    return f"{plain(receipt.contact_id)}, deleted{at}"


def _answer(is_404: bool, receipt: ErasureReceipt) -> str:
    if receipt.contact_id is None:
        return "404, not found" if is_404 else "STILL THERE"
    return f"{'404, not found' if is_404 else 'STILL THERE'}, asked at {utc(receipt.at)}"


def print_erased(store: Store, *, as_json: bool) -> None:
    """Who was erased, and whose erasure was lifted: by whom, when and why."""
    erased, lifted = store.tombstones.find(), store.tombstones.lifted()
    if as_json:
        listed = {
            "erased": [{"user": item.user_id, "at": item.at.isoformat()} for item in erased],
            "lifted": [
                {
                    "user": member.user_id,
                    "erased_at": member.erased_at.isoformat(),
                    "lifted_at": member.lifted_at.isoformat(),
                    "by": member.by,
                    "reason": member.reason,
                }
                for member in lifted
            ],
        }
        click.echo(json.dumps(listed, indent=2))
        return
    listing = Listing("Erased", "user", "erased", "lifted", "by", "why")
    for entry in erased:
        listing.add(plain(entry.user_id), utc(entry.at), "", "", "")
    for element in lifted:
        moments = utc(element.erased_at), utc(element.lifted_at)
        listing.add(plain(element.user_id), *moments, plain(element.by), plain(element.reason))
    console = a_console()
    if erased or lifted:
        console.print(listing)
    else:
        console.print("Nobody was erased.")


def receipt_document(receipt: ErasureReceipt) -> dict[str, object]:
    return {"user": receipt.user_id, **receipt.document()}
