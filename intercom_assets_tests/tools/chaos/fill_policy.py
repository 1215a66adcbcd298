"""One name or phone of one user: who may win, judged from both histories.

The app wins if it has a value. If it has none, what somebody put into Intercom since fills it; what
the app cleared stays cleared. Intercom has no conditional write, so an edit that fell between the
sync's last look and its write is raced, not lost: it counts as seen only if an answer that showed
it reached the sync. Imports nothing of the package.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from intercom_assets_tests.tools.chaos.histories import AppChange, Call, Histories, Version

SHORTEST = {"name": 2, "phone_number": 1}


class Finding(Enum):
    """The value is where a finding is counted."""

    LOST = "lost"
    RACED = "raced"
    OVERWRITTEN = "overwritten"


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody's value in Intercom, until event `until`, when call `by` (0: by hand) changed it.

    `by_late`: that was a write which landed after the sync had given it up.
    """

    value: str | None
    n: int
    at: float
    until: int | None = None
    by: int = 0
    then: str | None = None
    seen: bool = False
    by_late: bool = False


@dataclass(frozen=True, slots=True)
class Fill:
    """`app`: the app's own values with their times; `pulled`: what the sync stored there."""

    app: Sequence[tuple[float, str | None]]
    pulled: frozenset[str]
    edits: Sequence[Edit]
    shortest: int

    def findings(self, now: str | None) -> Iterator[tuple[Finding, str]]:
        """`now` is what both sides hold."""
        at, own = self.app[-1] if self.app else (0.0, None)
        if own is not None:
            if now != own:
                yield Finding.LOST, f"was set to {own!r} by the app; both sides hold {now!r}"
            return
        if now is not None and now not in {edit.value for edit in self.edits}:
            yield Finding.LOST, f"was cleared by the app, and {now!r} came back"
        after = [edit for edit in self.edits if edit.at > at]
        if now is None and after and self._usable(after[-1].value):
            if after[-1].until is None:
                yield Finding.LOST, f"{after[-1].value!r} of Intercom went nowhere"
            elif not after[-1].seen or after[-1].then is not None or after[-1].by_late:
                yield Finding.RACED, f"{after[-1].value!r} of Intercom, written over unseen"

    def clearings(self) -> Iterator[tuple[Finding, str]]:
        """Edits that the sync saw, and then cleared although nobody in the app ever had them."""
        for edit in self.edits:
            cleared = edit.by and edit.then is None and self._usable(edit.value)
            if cleared and edit.seen and not edit.by_late and edit.value not in self.pulled:
                yield Finding.OVERWRITTEN, f"{edit.value!r} of Intercom was seen and cleared"

    def _usable(self, value: str | None) -> bool:
        return value is not None and len(value) >= self.shortest


def fill_of(user_id: str, column: str, name: str, contact: str, histories: Histories) -> Fill:
    changes = [c for c in histories.by_user.get(user_id, []) if c.table == "users" and c.new]
    moved = [change for change in changes if _moved(change, column)]
    return Fill(
        app=[(c.at, _value(c, column)) for c in moved if not c.ours],
        pulled=frozenset(v for c in moved if c.ours and (v := _value(c, column)) is not None),
        edits=list(_edits(name, contact, histories)),
        shortest=SHORTEST[column],
    )


def _moved(change: AppChange, column: str) -> bool:
    old = _clean(change.old[column]) if change.old else None
    return change.old is None or old != _value(change, column)


def _value(change: AppChange, column: str) -> str | None:
    return _clean(change.new[column]) if change.new else None


def _clean(raw: object) -> str | None:
    return (str(raw).strip() or None) if raw is not None else None


def _edits(name: str, contact: str, histories: Histories) -> Iterator[Edit]:
    """Values that came by hand, or with a lead that was merged; the sync's own PUTs are none."""
    versions, looks = histories.by_contact.get(contact, []), histories.looks.get(contact, [])
    before: str | None = None
    for at, version in enumerate(versions):
        value = _clean(version.shown[name])
        if value != before and _is_foreign(version, histories.calls):
            yield _edit(name, versions[at:], looks, histories)
        before = value


def _is_foreign(version: Version, calls: dict[int, Call]) -> bool:
    return version.call == 0 or calls[version.call].path.startswith("/contacts/merge")


def _edit(
    name: str, versions: Sequence[Version], looks: Sequence[int], histories: Histories
) -> Edit:
    """`versions`: from the edit on."""
    first = versions[0]
    value = _clean(first.shown[name])
    for later in versions[1:]:
        then = _clean(later.shown[name])
        if then != value:
            last = bisect_right(looks, (later.call or later.n) - 1)
            # The answer to a merge that brought the value shows it, too.
            seen = last > 0 and looks[last - 1] >= (first.call or first.n)
            late = histories.is_late(later.call)
            return Edit(value, first.n, first.at, later.n, later.call, then, seen, late)
    return Edit(value, first.n, first.at)
