"""Where the panel leads: the user's page in the app's admin, and its partition in Dagster.

Ids are quoted, since they come out of the app as they are. Must not: fetch anything.
"""

from dataclasses import dataclass
from urllib.parse import quote

PARTITION = "{dagster}/assets/{key}?view=partitions&partition={id}"
PROFILES = "reconciled_profiles"


@dataclass(frozen=True, slots=True)
class PanelLinks:
    """`admin_url`: of the mapping, with {id} in it, or blank. `dagster_url`: of the webserver, or
    blank. `workspace`: how this one's assets are told from another's there, or blank."""

    admin_url: str = ""
    dagster_url: str = ""
    workspace: str = ""

    def admin(self, user_id: str) -> str:
        return self.admin_url.replace("{id}", quote(user_id, safe=""))

    def partition(self, user_id: str) -> str:
        if not self.dagster_url:
            return ""
        key = f"{self.workspace}/{PROFILES}" if self.workspace else PROFILES
        quoted = quote(user_id, safe="")
        return PARTITION.format(dagster=self.dagster_url.rstrip("/"), key=key, id=quoted)
