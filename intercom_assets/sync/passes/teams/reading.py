"""Both sides of teams as they are known without a call: the app's rows and what we remember.

Must not: call Intercom, or write.
"""

from collections.abc import Sequence

from intercom_assets.domain.models import TeamLink
from intercom_assets.domain.vocabulary import QueueKind
from intercom_assets.sync.context.services import Services
from intercom_assets.sync.passes.app_rows import Row, app_row
from intercom_assets.sync.passes.kept_apart import of_answers
from intercom_assets.sync.passes.rules import Rules
from intercom_assets.sync.passes.teams.state import TeamState


def read_teams(services: Services, keys: Sequence[str], rules: Rules) -> list[TeamState]:
    rows = services.app.read_teams(keys)
    links = services.store.links.teams(keys)
    return [_known_state(rules, rows[key], links.get(key) or TeamLink(key)) for key in keys]


def _known_state(rules: Rules, row: Row, link: TeamLink) -> TeamState:
    return TeamState(
        rules=rules,
        app=app_row(QueueKind.TEAM, rules, row),
        link=link,
        company=link.shadow,
        accepted=link.accepted,
        left_out=of_answers(link.left_out),
        tags=link.tags,
        undone_tags=frozenset(link.undone_tags),
    )
