"""Whether a row of the app is still about the same person. Pure.

An app may give an id anew: the row is deleted and its id reused, or a sequence begins again.
Nothing that Intercom holds of the person before may then reach the row of the new one.
"""

from intercom_assets.domain.leads import CREATED, EMAIL
from intercom_assets.domain.models import Value, Values

SAME_SIGN_UP_WITHIN = 2 * 86_400
"""Seconds: a sign-up that moves by less was rounded, or its zone was mended."""


def is_another_person(base: Values, app: Values) -> bool:
    """`base`: what was agreed on last; `app`: the row now. Sign-up and e-mail both moved.

    Of two without e-mail the sign-up alone tells, unless it moved by no more than a zone may.
    """
    then, now = base.get(CREATED), app.get(CREATED)
    if not isinstance(then, int) or not isinstance(now, int) or then == now:
        return False
    before, after = _address(base.get(EMAIL)), _address(app.get(EMAIL))
    if before is None and after is None:
        return abs(now - then) > SAME_SIGN_UP_WITHIN
    return before != after


def _address(value: Value) -> str | None:
    return value.strip().lower() or None if isinstance(value, str) else None
