"""The one way in for whatever Intercom signs; nothing else of a request is looked at before.

    405  a method that is none of POST and HEAD
    401  no signature that could be right, or a wrong one
    408  the body came too slowly          413  it is too large
    503  too much is in hand, or our own tables do not answer

HEAD is 200: Intercom asks so whether an address is there. Never 410, which ends a subscription.
Must not: know what a body means.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from intercom_assets.database.store.connection import StoreNotReady, StoreUnavailable
from intercom_assets.database.store.store import Store
from intercom_assets.domain.vocabulary import InboundCount
from intercom_assets.inbound.bodies import Bodies, BodyTooLarge, BodyTooSlow, TooMuchInHand
from intercom_assets.inbound.intake import Intake
from intercom_assets.inbound.logs import RareLog
from intercom_assets.inbound.settings import InboundSettings
from intercom_assets.inbound.signatures import SignatureScheme
from intercom_assets.inbound.tally import Tally

RETRY_AFTER = {"Retry-After": "60"}


@dataclass(frozen=True)
class Inbound:
    """What every route works with. `workers`: threads for whatever waits for our own tables."""

    store: Store
    settings: InboundSettings
    workers: Executor
    tally: Tally = field(default_factory=Tally)
    bodies: Bodies = field(default_factory=Bodies)
    log: RareLog = field(default_factory=RareLog)
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "intake", Intake(self.store, self.workers))


Answer = Callable[[Inbound, bytes], Awaitable[Response]]
"""From a body that Intercom has signed to a response. May raise `StoreUnavailable` and
`StoreNotReady`, which become 503."""


@dataclass(frozen=True, slots=True)
class SignedRoute:
    """A path, how its requests are signed, and what answers them."""

    path: str
    scheme: SignatureScheme
    answer: Answer


class SignedEndpoint:
    """A signed route as an ASGI app."""

    def __init__(self, inbound: Inbound, route: SignedRoute) -> None:
        self._inbound, self._route = inbound, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response()
        if request.method != "POST":
            return _refusal(405, "Only POST and HEAD are answered here.", Allow="HEAD, POST")
        claimed = self._route.scheme.claimed(request.headers.get(self._route.scheme.header))
        if claimed is None:
            return self._unsigned(Connection="close")
        with self._inbound.bodies.holding() as held:
            try:
                body = await held.read(request)
            except BodyTooLarge:
                return _refusal(413, "The body is too large.", Connection="close")
            except BodyTooSlow:
                return _refusal(408, "The body came too slowly.", Connection="close")
            except TooMuchInHand:
                return _later("Too much is in hand.")
            if not self._route.scheme.matches(claimed, body, self._inbound.settings.secrets):
                return self._unsigned()
            return await self._answer(body)

    async def _answer(self, body: bytes) -> Response:
        try:
            return await self._route.answer(self._inbound, body)
        except (StoreUnavailable, StoreNotReady) as error:
            self._inbound.tally.add(InboundCount.UNSTORED)
            self._inbound.log.warn(error.sentence)
            return _later("Our own tables do not answer.")

    def _unsigned(self, **headers: str) -> Response:
        self._inbound.tally.add(InboundCount.REFUSED)
        return _refusal(401, "The signature is missing or wrong.", **headers)


def _refusal(status: int, sentence: str, **headers: str) -> Response:
    return PlainTextResponse(sentence, status, headers)


def _later(sentence: str) -> Response:
    return PlainTextResponse(sentence, 503, RETRY_AFTER)
