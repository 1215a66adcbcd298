"""`python -m intercom_assets.simulator --port N [--token T] [--set NAME=VALUE ...]`.

The simulator alone, until Ctrl-C. No command of ours is involved, so that it can stand in for
Intercom in other projects too.
"""

import argparse
import json
import sys
from typing import Any

from intercom_assets.simulator.server import serve
from intercom_assets.simulator.settings import BadSetting
from intercom_assets.simulator.simulator import Simulator


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        simulator = Simulator(token=options.token, **dict(map(_knob, options.set)))
        serve(simulator, options.port, _announce)
    except (BadSetting, OSError) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    return 0


def _announce(url: str) -> None:
    sys.stdout.write(f"simulated Intercom at {url}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m intercom_assets.simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--token", default="demo-token")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    return parser


def _knob(setting: str) -> tuple[str, Any]:
    name, _, value = setting.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())
