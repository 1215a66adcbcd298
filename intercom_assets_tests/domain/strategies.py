"""Random values for the domain's properties, and how many of them are worth the time.

Belongs here: strategies that several test modules share. Must not: a property.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from intercom_assets.domain.models import Kind, Value

quick = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For every property here: the whole folder runs in seconds, also on a busy machine."""

WHOLE = st.integers(-(2**53), 2**53)
FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15).map(
    lambda number: number + 0.0  # no -0.0, which is no canonical value
)
MOMENTS = st.datetimes(timezones=st.timezones())

RAW = {
    Kind.STRING: st.text(st.characters(exclude_characters="\x00")) | st.uuids() | FINITE,
    Kind.INTEGER: WHOLE | WHOLE.map(str) | WHOLE.map(float) | st.decimals(-1e9, 1e9, places=0),
    Kind.FLOAT: WHOLE | FINITE | FINITE.map(str) | st.decimals(-1e9, 1e9, places=4),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: MOMENTS | st.dates() | st.integers(-(10**10), 10**10),
}
"""What each kind may be made of."""

VALUES: st.SearchStrategy[Value] = (
    st.none() | st.booleans() | WHOLE | FINITE | st.text("abcAB 12", max_size=6)
)
