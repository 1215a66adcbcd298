"""The pages for developers, docs/dev: what names them finds them, and what they name is there."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEV = ROOT / "docs" / "dev"
SOURCES = ("*.py", "*.sql", "*.toml", "*.md", "*.yaml", "Makefile", ".ci/run")
CITED = re.compile(r"docs/dev/([\w-]+\.md)(?:#([\w-]+))?")
UNPUBLISHED = re.compile(
    "|".join(["intercom" + "-api", "sync" + "-protocol", "dagster" + "-notes", "infra" + "-notes"])
    + "|seed" + r"[- ]rules?|\bDESIGN" + r"\b|replaced" + r"-job|\bINBOUND" + r"\b"
)  # fmt: skip
"""Names of documents that a reader of this repository does not have."""


@cache
def tracked() -> tuple[Path, ...]:
    """Every source and page of the repository; of a checkout without git, those on disk."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SOURCES],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        return tuple(ROOT / name for name in listed.stdout.split("\n") if (ROOT / name).is_file())
    rooms = (ROOT / "intercom_assets", ROOT / "intercom_assets_tests", ROOT / "docs")
    return tuple(path for room in rooms for each in SOURCES for path in room.rglob(each))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The headings of a page, as GitHub links to them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).strip() for heading in headings)
    return frozenset(heading.replace(" ", "-") for heading in plain)


def broken(citations: Iterator[tuple[Path, str]]) -> list[str]:
    """Of (page, anchor or nothing): those that lead nowhere."""
    return [
        f"{page.name}#{anchor}"
        for page, anchor in citations
        if not page.is_file() or (anchor and anchor not in anchors(page))
    ]


def links_of(page: Path) -> Iterator[tuple[Path, str]]:
    """Where a page's links into the repository lead."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


def test_every_page_and_heading_that_the_code_cites_is_there() -> None:
    cited = {
        (DEV / name, anchor)
        for source in tracked()
        for name, anchor in CITED.findall(source.read_text("utf-8"))
    }

    assert len(cited) > 15
    assert broken(iter(cited)) == []


def test_a_citation_that_leads_nowhere_is_noticed() -> None:
    page = DEV / "protocol.md"

    assert broken(iter([(page, "the-order"), (page, ""), (page, "no-such-heading")])) == [
        "protocol.md#no-such-heading"
    ]


def test_nothing_cites_a_document_that_no_reader_has() -> None:
    found = {
        f"{source.relative_to(ROOT)}: {hit[0]}"
        for source in tracked()
        for hit in UNPUBLISHED.finditer(source.read_text("utf-8"))
    }

    assert found == set()


PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_the_pages_leads_somewhere(page: Path) -> None:
    assert broken(links_of(page)) == []


def test_contributing_leads_to_every_page_for_developers() -> None:
    linked = {target for target, _ in links_of(ROOT / "CONTRIBUTING.md")}

    assert set(DEV.glob("*.md")) <= linked


def rooms_by_contract() -> dict[str, list[set[str]]]:
    """Package -> its rooms by the import contracts, top first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {
        package: [set(layer.split(" | ")) for layer in contract["layers"]]
        for contract in contracts["contracts"]
        if contract["type"] == "layers"
        for package in contract["containers"]
    }


def rooms_on_the_page() -> dict[str, list[set[str]]]:
    """Package -> the rooms of its table, row by row."""
    tables = re.findall(
        r"<!-- rooms: ([\w.]+) -->\n\|.*\n\| ---.*\n((?:\|.*\n)+)",
        (DEV / "architecture.md").read_text(),
    )
    return {
        package: [set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in rows.splitlines()]
        for package, rows in tables
    }


def test_the_rooms_of_the_page_are_those_of_the_import_contracts() -> None:
    assert rooms_by_contract()
    assert rooms_on_the_page() == rooms_by_contract()


NAMED = re.compile(r"`((?:\w[\w.-]*/)+[\w.-]*|\w+\.(?:py|sql|toml|yaml|md))(?:: \w+)?`")


@pytest.mark.parametrize("page", sorted(DEV.glob("*.md")), ids=lambda page: page.name)
def test_every_file_that_a_page_for_developers_names_is_there(page: Path) -> None:
    """By its path from the repository, the package or the tests, or by the end of its path."""
    missing = [name for name in NAMED.findall(page.read_text()) if not is_there(name)]

    assert missing == []


def is_there(name: str) -> bool:
    rooms = (ROOT, ROOT / "intercom_assets", ROOT / "intercom_assets_tests")
    known = any(path.as_posix().endswith(f"/{name}") for path in tracked())
    return known or any((room / name).exists() for room in rooms)


def test_a_file_that_is_not_there_is_noticed() -> None:
    assert NAMED.findall("`domain/who_wins.py`, `nowhere.py` and `sync/feeders`") == [
        "domain/who_wins.py",
        "nowhere.py",
        "sync/feeders",
    ]
    assert not is_there("domain/who_wins.py")
    assert not is_there("nowhere.py")
    assert is_there("sync/feeders")
