"""Mutants of `domain/` that may live, each with the reason. Everything else must be noticed.

Belongs here: mutants that change nothing anybody can see. Must not: what only lacks a test.
"""

from dataclasses import dataclass

from intercom_assets_tests.mutations import Mutant


@dataclass(frozen=True, slots=True)
class Pardon:
    """Mutants of `module` whose line of code has `text` in it and whose change has `change`."""

    module: str
    text: str
    change: str
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        return (
            self.module == mutant.module
            and self.text in mutant.text
            and self.change in mutant.change
        )


NEVER_SENT = "the key of a memory: only its name is ever used, and nothing is sent or compared"
NO_ZONE_EITHER = "what is no text is no zone either way; the test is there for the types"

PARDONS: tuple[Pardon, ...] = (
    Pardon("reconcile", "PLACE = Field", "'time_zone' + '~'", NEVER_SENT),
    Pardon("reconcile", "PLACE = Field", "STRING -> INTEGER", NEVER_SENT),
    Pardon("reconcile", "PLACE = Field", "INTERCOM -> FILL", NEVER_SENT),
    Pardon("reconcile", 'why: str = ""', "", "every decision says why"),
    Pardon("reconcile", "return book.meaning(name) if", "if always True", NO_ZONE_EITHER),
    Pardon("timezones", "zone = self.aliases.get(", "if always True", NO_ZONE_EITHER),
    Pardon("timezones", "return self.zone(RAILS_ZONES", "if always True", NO_ZONE_EITHER),
    Pardon("timezones", "derived=", "'' + '~'", "no country has either for its code"),
)
