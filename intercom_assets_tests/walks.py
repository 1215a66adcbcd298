"""The earlier name of the command `python -m intercom_assets_tests.tools.random_walks`."""

from intercom_assets_tests.tools.random_walks.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main())
