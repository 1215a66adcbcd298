"""A pass as the engine makes it, in memory: the order of `sync/passes/users/chunk.py`, and no more.

Decide on what is remembered; PUT what is due, or GET where something is deferred; decide on the
answer; write back to the app and read its row again; decide; one more PUT; record. Both sides can
be made to store values otherwise than told. Belongs here: that order, and what each side did.
Must not: a rule about who wins, or the test of one.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from intercom_assets.domain.decisions import FieldInputs, Freshness, Reconciliation
from intercom_assets.domain.fields import Field
from intercom_assets.domain.models import UserLink, Value, Values
from intercom_assets.domain.opt_outs import after_writes
from intercom_assets.domain.reconcile import landed, not_stored, reconcile
from intercom_assets.domain.timezones import GeoHint, ZoneBook

Stores = Callable[[str, Value], Value]
"""What a side stores under a field's name when it is sent a value."""


class RefusesError(Exception):
    """Raised by the app's `Stores` for a value that it does not take; nothing is stored then."""


def as_sent(name: str, value: Value) -> Value:
    return value


@dataclass(slots=True)
class Pass:
    """What one pass did. `puts` and `writes` in order; `last` is the decision it ended with."""

    posts: int = 0
    gets: int = 0
    puts: list[Values] = field(default_factory=list)
    writes: list[Values] = field(default_factory=list)
    last: Reconciliation = field(default_factory=lambda: Reconciliation(()))

    @property
    def calls(self) -> int:
        return self.posts + self.gets + len(self.puts)

    @property
    def did_nothing(self) -> bool:
        return self.calls == 0 and not self.writes


@dataclass(slots=True)
class Pair:
    """One user on both sides, and what we remember. `intercom` is None: no contact yet.

    `shadow`: what we believe Intercom to hold, None if we know no contact.
    """

    fields: Iterable[Field]
    app: dict[str, Value]
    intercom: dict[str, Value] | None = None
    shadow: dict[str, Value] | None = None
    base: Values = field(default_factory=dict)
    accepted: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    refused: dict[str, Value] = field(default_factory=dict)
    in_flight: Values = field(default_factory=dict)
    from_oauth: bool = False
    clear_unusable: bool = True
    place: GeoHint = field(default_factory=GeoHint)
    shadow_place: GeoHint | None = None
    book: ZoneBook | None = None
    app_stores: Stores = as_sent
    intercom_stores: Stores = as_sent
    look: Freshness = Freshness.STALE

    def sync(self, look: Freshness = Freshness.STALE, *, must_read_first: bool = False) -> Pass:
        """One pass, recorded. `look`: how well the shadow is known; `must_read_first`: a GET."""
        done = Pass()
        self.look = look if self.shadow is not None else Freshness.FRESH
        self._call_first(done, must_read_first or bool(self.in_flight))
        self._write_back(done)
        plan = self.plan()
        if plan.to_intercom:
            self._put(plan, done)
        done.last = self.plan()
        self.base, self.in_flight = done.last.agreed(self.base), {}
        return done

    def plan(self) -> Reconciliation:
        place = self.place if self.shadow_place is None else self.shadow_place
        return reconcile(
            self.fields,
            FieldInputs(
                base=self.base,
                app=self.app,
                intercom=self.shadow or {},
                look=self.look,
                from_oauth=self.from_oauth,
                clear_unusable=self.clear_unusable,
                accepted=self.accepted,
                refused=self.refused,
                place=place if self.shadow is not None else GeoHint(),
                book=self.book,
            ),
        )

    def _call_first(self, done: Pass, must_read_first: bool) -> None:
        plan = self.plan()
        if self.shadow is None:
            done.posts += 1
            self.intercom = {}
            self._take(plan, {n: v for n, v in plan.to_intercom.items() if v is not None})
        elif must_read_first or (not plan.to_intercom and plan.deferred):
            done.gets += 1
            self._apply_read()
        elif plan.to_intercom:
            self._put(plan, done)

    def _put(self, plan: Reconciliation, done: Pass) -> None:
        done.puts.append(plan.to_intercom)
        self._take(plan, plan.to_intercom)

    def _take(self, plan: Reconciliation, sent: Values) -> None:
        """Intercom stores what was sent and answers; a form of its own is remembered."""
        assert self.intercom is not None
        for name, value in sent.items():
            self.intercom[name] = self.intercom_stores(name, value)
        for decision in plan.decisions:
            name = decision.field.name
            if name in plan.to_intercom and decision.write_to:
                self.accepted.pop(name, None)
                if not decision.field.same(decision.value, self.intercom.get(name)):
                    self.accepted[name] = (decision.value, self.intercom.get(name))
        sent_to_it = [d for d in plan.decisions if d.is_due and d.field.name in sent]
        self.base = {**self.base, **after_writes(sent_to_it, self.base)}
        self._apply_read()

    def _apply_read(self) -> None:
        assert self.intercom is not None
        self.shadow, self.look, self.shadow_place = dict(self.intercom), Freshness.FRESH, None
        if self.in_flight:
            known = {each.name: each for each in self.fields}
            link = UserLink("7", base=self.base, in_flight=self.in_flight)
            self.base = landed(link, known, self.shadow, self.app)

    def _write_back(self, done: Pass) -> None:
        plan = self.plan()
        if not plan.to_app:
            return
        done.writes.append(plan.to_app)
        with suppress(RefusesError):
            self.app |= {name: self.app_stores(name, v) for name, v in plan.to_app.items()}
        lacking = not_stored(plan, self.app)
        self.refused |= lacking
        stored = [d for d in plan.decisions if d.is_due and d.field.name in plan.to_app]
        stored = [d for d in stored if d.field.name not in lacking]
        self.base = {**self.base, **after_writes(stored, self.base)}
