"""What only Intercom itself makes: segments, teams, subscription types, visitors, jobs.

The simulator takes them from whoever plays the operator; each method answers the new id.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from intercom_assets.simulator.extras import Job, Segment, SubscriptionType, Team, Visitor
from intercom_assets.simulator.records import Admin
from intercom_assets.simulator.state import World


class Planting:
    _world: World
    _lock: AbstractContextManager[object]

    def create_segment(
        self, name: str, members: Sequence[str] = (), person_type: str = "user"
    ) -> str:
        """`members`: Intercom's ids of contacts, or of companies."""
        with self._lock:
            now = self._world.now
            segment_id = self._world.object_id(self._world.next_seq())
            made = Segment(segment_id, name, person_type, now, now, frozenset(members))
            self._world.extras.segments[segment_id] = made
            return segment_id

    def put_in_segment(self, segment: str, member: str) -> None:
        with self._lock:
            segments = self._world.extras.segments
            found = segments[segment]
            now = self._world.now
            segments[segment] = replace(found, members=found.members | {member}, updated_at=now)

    def create_admin(self, name: str, email: str) -> str:
        """A teammate, who may own contacts."""
        with self._lock:
            admin_id = str(self._world.next_seq())
            self._world.admins[admin_id] = Admin(admin_id, name, email)
            return admin_id

    def create_team(self, name: str, admin_ids: Sequence[str] = ()) -> str:
        with self._lock:
            team_id = str(self._world.next_seq())
            self._world.extras.teams[team_id] = Team(team_id, name, tuple(admin_ids))
            return team_id

    def create_subscription_type(self, name: str, consent_type: str = "opt_out") -> str:
        with self._lock:
            type_id = str(self._world.next_seq())
            made = SubscriptionType(type_id, name, consent_type)
            self._world.extras.subscription_types[type_id] = made
            return type_id

    def create_visitor(self, user_id: str, email: str = "", name: str | None = None) -> str:
        with self._lock:
            now = self._world.now
            visitor_id = self._world.object_id(self._world.next_seq())
            made = Visitor(visitor_id, user_id, now, now, name, email)
            self._world.extras.visitors[visitor_id] = made
            return visitor_id

    def create_job(
        self,
        status: str = "pending",
        resource_type: str = "ticket",
        resource_id: str | None = None,
    ) -> str:
        with self._lock:
            job_id = str(self._world.next_seq())
            self._world.extras.jobs[job_id] = Job(job_id, status, resource_type, resource_id)
            return job_id
