"""Reading the bodies of requests, up to a limit."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from deploy.offline_model.errors import BodyTooLarge, RequestMalformed
from workflows.validation_messages import message_of

MAX_BODY_BYTES = 16 * 1024 * 1024
_SHOWN_PROBLEMS = 3

_Body = TypeVar("_Body", bound=BaseModel)


async def read_body(request: Request) -> bytes:
    """Raises ``BodyTooLarge`` when there are more than 16 MiB."""
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > MAX_BODY_BYTES:
            raise BodyTooLarge(limit=MAX_BODY_BYTES)
    return bytes(received)


def parsed(body: bytes, model: type[_Body]) -> _Body:
    """Raises ``RequestMalformed`` for what is no JSON, or of another shape."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RequestMalformed(reason=_reasons(error)) from None


def _reasons(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)[:_SHOWN_PROBLEMS]
    places = (".".join(map(str, problem["loc"])) or "body" for problem in problems)
    return "; ".join(
        f"{place}: {message_of(problem)}" for place, problem in zip(places, problems, strict=True)
    )
