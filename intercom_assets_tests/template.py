"""What every test database holds before its test: the sample app with our triggers, our schema.

Made once per session by the same code that an operator runs; each test gets a copy. No rows: a
test states the users that it is about (`builders.py`).
"""

from intercom_assets.database.capture.installation import install_capture
from intercom_assets.database.store.schema import apply_schema
from intercom_assets.demo.sample_app import create_sample_app
from intercom_assets.mapping.load import load_mapping


def fill_template(url: str) -> None:
    create_sample_app(url)
    install_capture(url, load_mapping())
    apply_schema(url)
