"""From an answer's bytes to a payload or an error. Pure; every answer ends in one of the two.

What the payload looks like is `wire.py`'s; which error belongs to a status and code, `errors.py`'s.
"""

from typing import TypeVar

from pydantic import ValidationError

from intercom_assets.intercom.endpoints import Endpoint
from intercom_assets.intercom.errors import (
    STATUS_OF_CODE,
    ConnectionFailed,
    IntercomError,
    Refusal,
    Unreadable,
    WrongShape,
    error_for,
)
from intercom_assets.intercom.exchange import NoAnswer, RawAnswer
from intercom_assets.intercom.retry import Effect
from intercom_assets.intercom.wire import ErrorPayload, Payload

T = TypeVar("T")

ERROR_LIST = "error.list"


def read_answer(shape: type[Payload[T]], endpoint: Endpoint, answer: RawAnswer) -> T:
    """What a success stands for. Raises the error that the answer stands for."""
    if not 200 <= answer.status < 300:
        raise error_for(_refusal(endpoint, answer, _told(answer), answer.status))
    try:
        return shape.model_validate_json(answer.body).domain()
    except ValidationError as misfit:
        problem = _misfit(endpoint, answer, misfit)
    raise problem


def no_answer(endpoint: Endpoint, failure: NoAnswer) -> ConnectionFailed:
    """What may have landed is whatever was sent and is more than a read."""
    landed = failure.sent and endpoint.effect is not Effect.READ
    return ConnectionFailed(Refusal(failure.reason, endpoint=endpoint.name, may_have_landed=landed))


def request_id_of(answer: RawAnswer) -> str | None:
    return answer.headers.get("x-request-id") or None


def _misfit(endpoint: Endpoint, answer: RawAnswer, misfit: ValidationError) -> IntercomError:
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
    refusal = Refusal(
        f"the answer has not the shape that the API promises ({where})",
        status=answer.status,
        request_id=request_id_of(answer),
        endpoint=endpoint.name,
        may_have_landed=endpoint.effect is not Effect.READ,
    )
    is_json = problems[0]["type"] != "json_invalid"
    return WrongShape(refusal) if is_json else Unreadable(refusal)


def _told(answer: RawAnswer) -> ErrorPayload | None:
    try:
        return ErrorPayload.model_validate_json(answer.body)
    except ValidationError:
        return None


def _refusal(
    endpoint: Endpoint, answer: RawAnswer, told: ErrorPayload | None, status: int
) -> Refusal:
    first = told.errors[0] if told and told.errors else None
    texts = [item.message for item in told.errors if item.message] if told else []
    return Refusal(
        message="; ".join(texts) or "no reason was given",
        status=status,
        code=first.code if first else None,
        field=first.field if first else None,
        request_id=request_id_of(answer) or (told.request_id if told else None),
        endpoint=endpoint.name,
        link=answer.headers.get("link", ""),
        retry_after=_seconds(answer.headers.get("retry-after")),
        may_have_landed=endpoint.effect is not Effect.READ and _leaves_doubt(status),
    )


def _leaves_doubt(status: int) -> bool:
    """Whether a write may have been carried out although the answer is no success."""
    return status >= 500 or status == 408


def _seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds; its form as a date is not used by APIs and not read."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
