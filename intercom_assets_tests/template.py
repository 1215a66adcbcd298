"""What every test database holds before its test: the sample app's tables, and ours.

Made once per session by the same code that an operator runs; each test gets a copy. No rows: a
test states the users that it is about (`builders.py`).
"""

from intercom_assets.database.schema import apply_schema
from intercom_assets.demo.sample_app import create_sample_app


def fill_template(url: str) -> None:
    create_sample_app(url)
    apply_schema(url)
