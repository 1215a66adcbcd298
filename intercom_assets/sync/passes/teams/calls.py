"""The calls of one team's pass: a read where a run died, and the upsert.

An error becomes the team's problem; only a fatal one goes on up.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from intercom_assets.domain.fields import Field, company_patch
from intercom_assets.domain.models import Company, CompanyPatch, Value, Values
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.intercom.errors import IntercomError, NotFound, Rejected
from intercom_assets.sync.context.failures import RACE_LOST, Problem, Verdict, problem_of
from intercom_assets.sync.passes.refused_fields import deliver
from intercom_assets.sync.passes.teams.team_pass import TeamPass

MOST_RACES = 3


def read_company(team: TeamPass, client: IntercomClient) -> None:
    """What is there now. One that carries another team's id by now is not this team's."""
    known = team.state.link.company_id
    try:
        company = client.get_company(known) if known else client.find_company(team.team_id)
        if company.company_id in (None, team.team_id):
            team.apply_read(company)
        else:
            team.lose_company()
    except NotFound:
        team.lose_company()
    except IntercomError as error:
        team.fail(problem_of(error))
    finally:
        team.count(client)


def upsert_company(team: TeamPass, client: IntercomClient) -> None:
    """The one call of a team; its answer is the new shadow.

    A second one only where the answer shows another company than the one that we remember:
    typed over by hand, or deleted and now made again.
    """
    try:
        deliver(_CompanyWrite(team, client))
        if team.state.plan.to_intercom:
            deliver(_CompanyWrite(team, client))
    except IntercomError as error:
        team.fail(problem_of(error))
    finally:
        team.count(client)
    if apart := ", ".join(sorted(team.state.plan.to_intercom)):
        team.put_off(Problem(Verdict.REJECTED, f"still apart after two writes: {apart}"))


@dataclass(frozen=True, slots=True)
class _CompanyWrite:
    """Of what is due for one team, as `deliver` asks for it."""

    team: TeamPass
    client: IntercomClient

    @property
    def fields(self) -> Mapping[str, Field]:
        return self.team.state.rules.fields

    @property
    def due(self) -> Values:
        return self.team.state.plan.to_intercom

    def send(self, names: Collection[str]) -> None:
        team = self.team
        plan = team.state.plan.sending(names)
        sent = plan.to_intercom
        if team.state.company is None:
            sent = {name: value for name, value in sent.items() if value is not None}
        team.expect_answer()
        patch = company_patch(team.state.rules.fields, sent)
        team.apply_write(_upserted(self.client, team.team_id, patch), plan, self.client)

    def probe(self) -> None:
        """A company that is there already is left as it is by its id alone."""
        self.send(())

    def reread(self) -> None:
        self.team.apply_rules(self.team.reread())

    def leave_out(self, name: str, value: Value, why: str) -> None:
        self.team.leave_out(name, value, why)


def _upserted(client: IntercomClient, team_id: str, patch: CompanyPatch) -> Company:
    """Once more, and once more, where another call made the company at the same moment."""
    for _ in range(MOST_RACES):
        try:
            return client.upsert_company(team_id, patch)
        except Rejected as refusal:
            if refusal.code != RACE_LOST:
                raise
    return client.upsert_company(team_id, patch)
