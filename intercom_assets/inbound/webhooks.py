"""`POST /webhooks`: one notification, answered once whom it wakes is durably queued.

    200  taken; also of a topic that is not understood, and of one that came before
    403  of another workspace

A signed body that cannot be read is taken and counted: trying again would not mend it.
"""

from starlette.responses import PlainTextResponse, Response

from intercom_assets.domain.vocabulary import InboundCount
from intercom_assets.domain.webhook_topics import ENDPOINT
from intercom_assets.inbound.intake import NoticeVerdict
from intercom_assets.inbound.notices import UnreadableNotice, read_notice
from intercom_assets.inbound.signatures import WEBHOOK
from intercom_assets.inbound.signed import Inbound, SignedRoute


async def take(inbound: Inbound, body: bytes) -> Response:
    try:
        notice = read_notice(body)
    except UnreadableNotice as error:
        inbound.tally.add(InboundCount.UNKNOWN)
        inbound.log.warn(f"A webhook is not understood: {error}.")
        return PlainTextResponse("ok")
    if await inbound.intake.take(notice) is NoticeVerdict.OTHER_WORKSPACE:
        inbound.log.warn(
            f"A webhook of another workspace ({notice.app_id}) was refused: our own tables are not "
            "about that one. Uninstall the app there, or listen for it with tables of its own."
        )
        return PlainTextResponse("This is another workspace's.", 403)
    return PlainTextResponse("ok")


ROUTE = SignedRoute(ENDPOINT, WEBHOOK, take)
