"""The pages of docs/ say what the code does: commands, variables, files, checks and messages."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from intercom_assets.domain.fields import TEAM_FIELDS
from intercom_assets.mapping.settings import Guards, SyncSettings
from intercom_assets.sync.status.health import QUESTIONS
from intercom_assets_tests.commands import commands_in, misunderstood
from intercom_assets_tests.test_deploy import DAGSTERS, DEPLOY, OURS
from intercom_assets_tests.tools.benchmarks.__main__ import BENCHMARKS

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
OF_OTHERS = {
    "INTERCOM_ASSETS_SOURCE", "DAGSTER_DATABASE_PASSWORD", "HTTPS_PROXY", "REQUESTS_CA_BUNDLE",
    "PLAN_ID", "COMPLETED_SUCCESS", "INTERCOM_CLIENT_SECRET",
}  # fmt: skip
"""Read by compose.yaml, by requests or by `listen` alone, a word in a command, or a state of
Dagster's."""
CHANGING = re.compile(r"\d[\d,]*[a-f0-9]*|\.\.\.|\{\}|\busers?\b|\bINTERCOM_\w+|[;:.]$")
"""What a message has in place of a field of its f-string, as a page shows it."""
RED = ROOT / "docs" / "when-something-is-red.md"
PRODUCTION = ROOT / "docs" / "production.md"
DAGSTER_YAML = DEPLOY / "dagster.yaml"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_understood(page: Path) -> None:
    by_hand = re.sub(r"<!-- commands -->\n(?:\|.*\n)+", "", page.read_text())
    commands = list(commands_in(by_hand))

    assert commands or page not in (RED, PRODUCTION)
    assert [wrong for words in commands if (wrong := misunderstood(words))] == []


def test_a_command_that_is_none_is_noticed() -> None:
    [words] = commands_in("Run `intercom-assets sync --everyone`.")

    assert "--everyone" in (misunderstood(words) or "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_is_one_that_is_read(page: Path) -> None:
    named = set(re.findall(r"\b([A-Z]+_[A-Z_]*[A-Z])\b", page.read_text()))

    assert named - OURS - DAGSTERS - OF_OTHERS == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    text = page.read_text()
    for path in re.findall(r"`(intercom_assets/[\w./]+)`", text):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"`(test_\w+\.py)`", text):
        assert list(ROOT.glob(f"intercom_assets_tests/**/{name}")), name


def test_every_check_has_its_row_and_no_other() -> None:
    section = RED.read_text().partition("## Health checks")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == set(QUESTIONS)


def test_every_setting_that_is_named_is_one() -> None:
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)(?:: \w+)?`", RED.read_text()))
    others = {"weekly_audit_job", "prune_history", "share_of_rate_limit", "rate_limited_calls"}
    others |= {"failed_runs", "api_plan_restricted", "intercom_sync"} | set(QUESTIONS)
    dagsters = set(re.findall(r"^ *(\w+):", DAGSTER_YAML.read_text(), re.MULTILINE))
    ours = SyncSettings.model_fields.keys() | Guards.model_fields.keys()

    assert named - others <= ours | dagsters | {field.name for field in TEAM_FIELDS}


@cache
def said() -> str:
    """Everything that the package can say, `{}` for what is filled in; constants by their name."""
    texts = []
    for module in (ROOT / "intercom_assets").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(map(_part, node.values)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts).lower()


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    value = node.value if isinstance(node, ast.FormattedValue) else node
    name = value.id if isinstance(value, ast.Name) and value.id.isupper() else "{}"
    return {"POOL": "intercom_api"}.get(name, name)


def quoted(page: str) -> list[str]:
    """The messages of a page: between quotation marks in bold, and the reasons for parking."""
    bold = re.findall(r"\*\*(.+?)\*\*", page, re.DOTALL)
    messages = [each for text in bold for each in re.findall(r'"([^"]+)"', text)]
    reasons = page.partition("| why |")[2].partition("\n\n")[0].splitlines()[2:]
    return messages + [row.split("|")[1] for row in reasons]


def test_every_message_is_one_that_the_program_says() -> None:
    messages = quoted(RED.read_text())
    unknown = [
        (message, piece)
        for message in messages
        for part in CHANGING.split(" ".join(message.split()))
        if len(piece := part.strip(" :.()").lower()) > 6 and piece not in said()
    ]

    assert len(messages) > 15
    assert unknown == []


def test_the_readme_leads_to_both_pages() -> None:
    readme = (ROOT / "README.md").read_text()

    for page in (RED, PRODUCTION):
        assert f"(docs/{page.name})" in readme


def test_every_benchmark_of_the_page_is_one_that_can_be_run() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()

    named = set(re.findall(r"^\| ([a-z-]+) \| [\d,]+ \|", page, re.MULTILINE))

    assert named
    assert named <= BENCHMARKS.keys()
