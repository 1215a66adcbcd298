"""The earlier name of the command `python -m intercom_assets_tests.tools.soak`."""

from intercom_assets_tests.tools.soak import main

if __name__ == "__main__":
    raise SystemExit(main())
