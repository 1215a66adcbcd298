"""From an answer's bytes to a payload or an error. Pure; every answer ends in one of the two.

What the payload looks like is `wire.py`'s; which error belongs to a status and code, `errors.py`'s.
"""

import re
from typing import TypeVar

from pydantic import ValidationError

from intercom_assets.intercom.endpoints import Endpoint
from intercom_assets.intercom.errors import (
    STATUS_OF_CODE,
    ConnectionFailed,
    Forbidden,
    IntercomError,
    NotFound,
    NotFromIntercom,
    Refusal,
    WrongShape,
    error_for,
)
from intercom_assets.intercom.http.messages import HttpResponse, NoResponse, retry_after
from intercom_assets.intercom.retry import Effect
from intercom_assets.intercom.wire import ErrorPayload, Payload

T = TypeVar("T")

ERROR_LIST = "error.list"
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,40}")


def read_response(shape: type[Payload[T]], endpoint: Endpoint, response: HttpResponse) -> T:
    """What a success stands for. Raises the error that the answer stands for."""
    if not 200 <= response.status < 300:
        raise _refused(endpoint, response)
    try:
        return shape.model_validate_json(response.body).domain()
    except ValidationError as misfit:
        problem = _misfit(endpoint, response, misfit)
    raise problem


def without_response(endpoint: Endpoint, failure: NoResponse) -> ConnectionFailed:
    """What may have landed is whatever was sent and is more than a read."""
    landed = failure.sent and endpoint.effect is not Effect.READ
    return ConnectionFailed(Refusal(failure.reason, endpoint=endpoint.name, may_have_landed=landed))


def request_id_of(response: HttpResponse) -> str | None:
    return response.headers.get("x-request-id") or None


def _refused(endpoint: Endpoint, response: HttpResponse) -> IntercomError:
    """A gateway's page is not Intercom's word: by its 404 no contact would be missing."""
    payload = _error_payload(response)
    refusal = _refusal(endpoint, response, payload, response.status)
    error = error_for(refusal)
    not_theirs = payload is None and isinstance(error, NotFound | Forbidden)
    return NotFromIntercom(refusal) if not_theirs else error


def _misfit(endpoint: Endpoint, response: HttpResponse, misfit: ValidationError) -> IntercomError:
    """A success that is an error list after all, no JSON, or JSON of another shape."""
    payload = _error_payload(response)
    if payload is not None and payload.type == ERROR_LIST:
        code = payload.errors[0].code if payload.errors else None
        status = STATUS_OF_CODE.get(code or "", response.status)
        return error_for(_refusal(endpoint, response, payload, status))
    problems = misfit.errors(include_url=False, include_context=False, include_input=False)
    where = "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['type']}"
        for problem in problems[:3]
    )
    is_json = problems[0]["type"] != "json_invalid"
    shape = f"the answer has not the shape that the API promises ({where})"
    refusal = Refusal(
        shape if is_json else f"the answer is no JSON but {_looks(response)}",
        status=response.status,
        request_id=request_id_of(response),
        endpoint=endpoint.name,
        may_have_landed=endpoint.effect is not Effect.READ,
    )
    return WrongShape(refusal) if is_json else NotFromIntercom(refusal)


def _error_payload(response: HttpResponse) -> ErrorPayload | None:
    try:
        return ErrorPayload.model_validate_json(response.body)
    except ValidationError:
        return None


def _refusal(
    endpoint: Endpoint, response: HttpResponse, payload: ErrorPayload | None, status: int
) -> Refusal:
    first = payload.errors[0] if payload and payload.errors else None
    texts = [item.message for item in payload.errors if item.message] if payload else []
    return Refusal(
        message="; ".join(texts) or _unexplained(response, status),
        status=status,
        code=first.code if first else None,
        field=first.field if first else None,
        request_id=request_id_of(response) or (payload.request_id if payload else None),
        endpoint=endpoint.name,
        link=response.headers.get("link", ""),
        retry_after=retry_after(response.headers),
        may_have_landed=endpoint.effect is not Effect.READ and _leaves_doubt(status),
    )


def _leaves_doubt(status: int) -> bool:
    """Whether a write may have been carried out although the answer is no success."""
    return status >= 500 or status == 408


def _unexplained(response: HttpResponse, status: int) -> str:
    if 300 <= status < 400:
        return "redirected, which the API never does, and the token is sent nowhere else"
    return f"no reason was given, {_looks(response)}"


def _looks(response: HttpResponse) -> str:
    """What came instead, without its content."""
    if not response.body:
        return "nothing at all"
    named = _MEDIA_TYPE.match(response.headers.get("content-type", ""))
    return f"{len(response.body)} bytes of {named[0] if named else 'something'}"
