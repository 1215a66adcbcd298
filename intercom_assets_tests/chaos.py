"""The earlier name of the command `python -m intercom_assets_tests.tools.chaos`."""

from intercom_assets_tests.tools.chaos.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main())
