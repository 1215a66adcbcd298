"""Mutants of `domain/` that may live, each with the reason. Everything else must be noticed.

Belongs here: mutants that change nothing anybody can see. Must not: what only lacks a test.
"""

from dataclasses import dataclass

from intercom_assets_tests.tools.mutations import Mutant


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
PROSE = "prose for people; test_docs and the tests of `check` hold what is printed of it"
FOR_MYPY = "an annotation under a name: only mypy reads it"
TAGGED = "a tuple of any form equals no plain value, and a boolean only itself"
SAME_ENCODING = "Python reads names of encodings without their signs: it is the same one"
ALSO_ELSEWHERE = "a short cut: the way around it, which is slower, comes to the same"
ONLY_SPEED = "a string is no Mapping either: asked first because it is quick"

PARDONS: tuple[Pardon, ...] = (
    Pardon("models", "Values: TypeAlias", "", FOR_MYPY),
    Pardon("fields", "remark", "", PROSE),
    Pardon("fields", "COMPANY_DELETED = replace(", "without remark=", PROSE),
    Pardon("fields", 'return ("boolean", value)', "'boolean'", TAGGED),
    Pardon("values", "return _UNSEEN.sub(", "'unicode_escape' + '~'", SAME_ENCODING),
    Pardon("values", "if not isinstance(raw, str) and", "without `not isinstance(", ONLY_SPEED),
    Pardon("values", "# as most are", "if always False", ALSO_ELSEWHERE),
    Pardon("values", "# as most are", "LtE -> Lt", ALSO_ELSEWHERE),
    Pardon("values", "if name is not None:", "if always False", ALSO_ELSEWHERE),
    Pardon("values", "_LEAVES: Mapping", "without `", ALSO_ELSEWHERE),
    Pardon("values", "if text.isascii():", "if always False", ALSO_ELSEWHERE),
    Pardon("values", "return _name(key) if type(key)", "if always False", ALSO_ELSEWHERE),
    Pardon("who_wins", 'remarks: str = ""', "", "every table gives remarks where there are some"),
    Pardon("decisions", "CONSIDERED_ZONE = Field", "'time_zone' + '~'", NEVER_SENT),
    Pardon("decisions", "CONSIDERED_ZONE = Field", "STRING -> INTEGER", NEVER_SENT),
    Pardon("decisions", "CONSIDERED_ZONE = Field", "INTERCOM -> FILL", NEVER_SENT),
    Pardon("decisions", 'why: str = ""', "", "every decision says why"),
    Pardon("zone_decisions", "return book.meaning(name) if", "if always True", NO_ZONE_EITHER),
    Pardon("timezones", "zone = self.aliases.get(", "if always True", NO_ZONE_EITHER),
    Pardon("timezones", "return self.zone(RAILS_ZONES", "if always True", NO_ZONE_EITHER),
    Pardon("timezones", "of_country=", "'' + '~'", "no country has either for its code"),
)
