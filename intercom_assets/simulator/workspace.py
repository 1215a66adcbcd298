"""Who the token belongs to, and the workspace's teammates."""

from intercom_assets.simulator import errors
from intercom_assets.simulator.documents import Document, me_document
from intercom_assets.simulator.records import Admin
from intercom_assets.simulator.wire import Call, Reply


def get_me(call: Call) -> Reply:
    admin = next(iter(call.world.admins.values()))
    return Reply(me_document(admin, call.world, call.settings))


def list_admins(call: Call) -> Reply:
    admins = [_document(admin) for admin in call.world.admins.values()]
    return Reply({"type": "admin.list", "admins": admins})


def get_admin(call: Call) -> Reply:
    admin = call.world.admins.get(call.ids[0])
    if admin is None:
        raise errors.Refused(404, "admin_not_found", "Admin for admin_id not found")
    return Reply(_document(admin))


def _document(admin: Admin) -> Document:
    return {
        "type": "admin",
        "id": admin.id,
        "email": admin.email,
        "name": admin.name,
        "away_mode_enabled": False,
        "away_mode_reassign": False,
        "has_inbox_seat": True,
        "team_ids": [],
    }
