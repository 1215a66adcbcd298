"""Breaks `domain/` in every small way, one at a time, and names what its tests do not notice.

    python -m intercom_assets_tests.tools.mutation [MODULE ...] [--workers N]

MODULE is a name in `domain/`, as in `reconcile`; without one all of them, which takes some minutes.
A survivor needs a test, simpler code, or a reason in `mutation_pardons.py`; without one the exit
code is 1. Nothing is written to the tree: each mutant lives in a forked process that imports the
changed module instead of the file. (mutmut leaves out decorated functions, so every property of a
plan, and all data; cosmic-ray changes the files themselves, and others work in them.)
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

import hypothesis
import psycopg  # noqa: F401 - loaded once here, not once per mutant
import pytest

from intercom_assets_tests.tools.mutation_pardons import PARDONS, Pardon
from intercom_assets_tests.tools.mutations import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = ROOT / "intercom_assets" / "domain"
TESTS = ROOT / "intercom_assets_tests" / "domain"
NOT_MUTATED = frozenset({"__init__", "rails_zones"})
"""Nothing but a charter; and a table that `test_timezones` holds against the world's zones."""
_OF_DECISIONS = ("test_reconcile.py", "test_zone_decisions.py")
_OF_OPT_OUTS = ("test_opt_outs.py", "test_opt_outs_of_contacts.py")
FIRST = {
    **dict.fromkeys(
        ("reconcile", "decisions", "policies", "moves", "zone_decisions"), _OF_DECISIONS
    ),
    **dict.fromkeys(("opt_outs", "opt_out_rule"), _OF_OPT_OUTS),
}
"""The tests that know a module best, where they are not those of its own name."""
WAIT_TIMEOUT_S = 120
"""Seconds until a mutant counts as caught because its tests do not end."""


@dataclass(frozen=True, slots=True)
class Verdict:
    mutant: Mutant
    caught: bool
    pardon: Pardon | None = None


class Changed(MetaPathFinder, Loader):
    """Imports one module from `source` and leaves the others alone."""

    def __init__(self, name: str, source: str) -> None:
        self._name, self._source = name, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, f"<mutant of {module.__name__}>", "exec"), module.__dict__)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Mutates domain/ and runs its tests.")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    modules = chosen.modules or sorted({p.stem for p in DOMAIN.glob("*.py")} - NOT_MUTATED)
    with tempfile.TemporaryDirectory() as compiled:
        sys.pycache_prefix, sys.dont_write_bytecode = compiled, False
        if not _passes("values", (DOMAIN / "values.py").read_text(), [TESTS]):
            sys.stdout.write("the tests fail without any mutation\n")
            return 2
        verdicts = [v for module in modules for v in _try_all(module, chosen.workers)]
    return _report(verdicts)


def _try_all(module: str, workers: int) -> Iterator[Verdict]:
    source = (DOMAIN / f"{module}.py").read_text()
    mutants = list(mutants_of(module, source))
    with ThreadPoolExecutor(workers) as pool:
        for verdict in pool.map(_try, mutants):
            if not verdict.caught and verdict.pardon is None:
                sys.stdout.write(f"{verdict.mutant}\n")
                sys.stdout.flush()
            yield verdict
    sys.stdout.write(f"{module}: {len(mutants)} mutants tried\n")


def _try(mutant: Mutant) -> Verdict:
    names = FIRST.get(mutant.module, (f"test_{mutant.module}.py",))
    best = [TESTS / name for name in names if (TESTS / name).exists()]
    survives = (not best or _passes(mutant.module, mutant.source, best)) and _passes(
        mutant.module, mutant.source, [TESTS]
    )
    pardon = next((each for each in PARDONS if each.covers(mutant)), None)
    return Verdict(mutant, caught=not survives, pardon=pardon)


def _passes(module: str, source: str, tests: Sequence[Path]) -> bool:
    """Whether `tests` pass in a process of their own, where `module` is `source`."""
    child = os.fork()
    if child == 0:
        signal.alarm(WAIT_TIMEOUT_S)
        os._exit(_run(f"intercom_assets.domain.{module}", source, tests))
    _, status = os.waitpid(child, 0)
    return status == 0


def _run(name: str, source: str, tests: Sequence[Path]) -> int:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # half of a short run, and not needed here
    sys.meta_path.insert(0, Changed(name, source))
    hypothesis.settings.register_profile(
        "mutation",
        database=None,
        derandomize=True,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )
    hypothesis.settings.load_profile("mutation")
    options = ["-x", "-q", "--noconftest", "-c", os.devnull, "--rootdir", str(ROOT)]
    with Path(os.devnull).open("w") as silence, redirect_stdout(silence), redirect_stderr(silence):
        return int(pytest.main([*options, "-p", "no:cacheprovider", *map(str, tests)]))


def _report(verdicts: Sequence[Verdict]) -> int:
    caught = sum(verdict.caught for verdict in verdicts)
    pardoned = [v for v in verdicts if not v.caught and v.pardon]
    survivors = [v for v in verdicts if not v.caught and not v.pardon]
    for verdict in pardoned:
        assert verdict.pardon is not None
        sys.stdout.write(f"{verdict.mutant}\n    pardoned: {verdict.pardon.reason}\n")
    sys.stdout.write(
        f"{len(verdicts)} mutants: {caught} caught, {len(pardoned)} pardoned, "
        f"{len(survivors)} not noticed by any test\n"
    )
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
