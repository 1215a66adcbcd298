"""The earlier name of the command `python -m intercom_assets_tests.tools.benchmarks`."""

from intercom_assets_tests.tools.benchmarks.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main())
