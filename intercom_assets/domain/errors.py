"""The one base of every error that an operator may read as it is.

Commands, sensors, runs and checks catch `OperatorError` and show its `sentence`; whatever else is
raised is a fault of ours and keeps its traceback. Belongs here: the base, and what makes a text a
sentence. Must not: any particular error, which stands beside what raises it.
"""


class OperatorError(Exception):
    """Something that an operator can mend, or wait for. Its text says what was wrong, and where.

    The text holds no token, no password and no personal data that was not asked for by id.
    """

    @property
    def advice(self) -> str:
        """What to do, as half a sentence; empty where the text says it already."""
        return ""

    @property
    def sentence(self) -> str:
        """The text and the advice, as one sentence."""
        text = str(self).rstrip(".")
        return as_sentence(f"{text}; {self.advice}" if self.advice else text)


def as_sentence(text: str) -> str:
    """With a capital, unless it begins with a name such as users.sql, and with a full stop."""
    text = text.rstrip(".")
    first = text[:1].upper() if text.partition(" ")[0].isalpha() else text[:1]
    return f"{first}{text[1:]}{'' if text.endswith('?') else '.'}"
