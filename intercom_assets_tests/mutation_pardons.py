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


PARDONS: tuple[Pardon, ...] = ()
