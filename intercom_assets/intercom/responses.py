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
    Refusal,
    Unreadable,
    WrongShape,
    error_for,
)
from intercom_assets.intercom.http.messages import HttpResponse, NoResponse, retry_after
from intercom_assets.intercom.retry import Effect
from intercom_assets.intercom.wire import ErrorPayload, Payload

T = TypeVar("T")

ERROR_LIST = "error.list"
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,40}")


def read_answer(shape: type[Payload[T]], endpoint: Endpoint, answer: HttpResponse) -> T:
    """What a success stands for. Raises the error that the answer stands for."""
    if not 200 <= answer.status < 300:
        raise _refused(endpoint, answer)
    try:
        return shape.model_validate_json(answer.body).domain()
    except ValidationError as misfit:
        problem = _misfit(endpoint, answer, misfit)
    raise problem


def no_answer(endpoint: Endpoint, failure: NoResponse) -> ConnectionFailed:
    """What may have landed is whatever was sent and is more than a read."""
    landed = failure.sent and endpoint.effect is not Effect.READ
    return ConnectionFailed(Refusal(failure.reason, endpoint=endpoint.name, may_have_landed=landed))


def request_id_of(answer: HttpResponse) -> str | None:
    return answer.headers.get("x-request-id") or None


def _refused(endpoint: Endpoint, answer: HttpResponse) -> IntercomError:
    """A gateway's page is not Intercom's word: by its 404 no contact would be missing."""
    told = _told(answer)
    refusal = _refusal(endpoint, answer, told, answer.status)
    error = error_for(refusal)
    not_theirs = told is None and isinstance(error, NotFound | Forbidden)
    return Unreadable(refusal) if not_theirs else error


def _misfit(endpoint: Endpoint, answer: HttpResponse, misfit: ValidationError) -> IntercomError:
    """A success that is an error list after all, no JSON, or JSON of another shape."""
    told = _told(answer)
    if told is not None and told.type == ERROR_LIST:
        code = told.errors[0].code if told.errors else None
        status = STATUS_OF_CODE.get(code or "", answer.status)
        return error_for(_refusal(endpoint, answer, told, status))
    problems = misfit.errors(include_url=False, include_context=False, include_input=False)
    where = "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['type']}"
        for problem in problems[:3]
    )
    is_json = problems[0]["type"] != "json_invalid"
    shape = f"the answer has not the shape that the API promises ({where})"
    refusal = Refusal(
        shape if is_json else f"the answer is no JSON but {_looks(answer)}",
        status=answer.status,
        request_id=request_id_of(answer),
        endpoint=endpoint.name,
        may_have_landed=endpoint.effect is not Effect.READ,
    )
    return WrongShape(refusal) if is_json else Unreadable(refusal)


def _told(answer: HttpResponse) -> ErrorPayload | None:
    try:
        return ErrorPayload.model_validate_json(answer.body)
    except ValidationError:
        return None


def _refusal(
    endpoint: Endpoint, answer: HttpResponse, told: ErrorPayload | None, status: int
) -> Refusal:
    first = told.errors[0] if told and told.errors else None
    texts = [item.message for item in told.errors if item.message] if told else []
    return Refusal(
        message="; ".join(texts) or _unexplained(answer, status),
        status=status,
        code=first.code if first else None,
        field=first.field if first else None,
        request_id=request_id_of(answer) or (told.request_id if told else None),
        endpoint=endpoint.name,
        link=answer.headers.get("link", ""),
        retry_after=retry_after(answer.headers),
        may_have_landed=endpoint.effect is not Effect.READ and _leaves_doubt(status),
    )


def _leaves_doubt(status: int) -> bool:
    """Whether a write may have been carried out although the answer is no success."""
    return status >= 500 or status == 408


def _unexplained(answer: HttpResponse, status: int) -> str:
    if 300 <= status < 400:
        return "redirected, which the API never does, and the token is sent nowhere else"
    return f"no reason was given, {_looks(answer)}"


def _looks(answer: HttpResponse) -> str:
    """What came instead, without its content."""
    if not answer.body:
        return "nothing at all"
    named = _MEDIA_TYPE.match(answer.headers.get("content-type", ""))
    return f"{len(answer.body)} bytes of {named[0] if named else 'something'}"
