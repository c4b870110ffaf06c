"""The codec of the Temporal Web UI and the ``temporal`` command: payloads, decrypted for people.

Their protocol is Temporal's, of "remote data encoding": two paths, and the page of the UI asks
across origins. What they show is of all teams, so that an API key, which is a team's, opens nothing
here.
"""

import hmac
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from temporalio.api.common.v1 import Payload as TemporalPayload

from activities.payloads import Codec
from api.errors import CodecGuarded, CodecMissing, PayloadRefused
from api.http.bodies import Body
from api.http.dependencies import ServicesDep
from api.http.openapi import TOKEN_NEEDED, refusals
from api.http.peers import why_stranger
from api.http.problems import answer
from api.http.routing import LateRoute, Routes
from api.services import Services
from api.wire.codec import CodecPayloads, Payload
from workflows.errors import AgentOSError

# As Temporal's programs expect it; the path before `/decode` is what they are told.
PREFIX = "/codec"

_REFUSALS = refusals(CodecGuarded, CodecMissing, PayloadRefused)

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(LateRoute):
    """A route whose answers the page of the Temporal Web UI may read, also where they refuse."""

    def get_route_handler(self) -> Handle:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                response = await handle(request)
            except AgentOSError as error:
                response = answer(error)
            _allow_page(request, response, request.app.state.services)
            return response

        return handled


router = Routes(tags=["codec"], route_class=PageRoute)


async def _codec(request: Request, services: ServicesDep) -> Codec:
    """Who may use it; before anything of the body is read."""
    if reason := _why_refused(request, services):
        raise CodecGuarded(reason=reason)
    if services.codec is None:
        raise CodecMissing
    return services.codec


CodecDep = Annotated[Codec, Depends(_codec)]
Given = Annotated[CodecPayloads, Depends(Body(CodecPayloads))]


@router.post(
    "/decode", responses=_REFUSALS, openapi_extra=TOKEN_NEEDED, operation_id="decodePayloads"
)
async def decode(codec: CodecDep, given: Given) -> CodecPayloads:
    """Decrypt payloads. Those that are not encrypted come back as they are."""
    return await _each(codec.decode, given)


@router.post(
    "/encode", responses=_REFUSALS, openapi_extra=TOKEN_NEEDED, operation_id="encodePayloads"
)
async def encode(codec: CodecDep, given: Given) -> CodecPayloads:
    """Encrypt payloads, such as the input of a signal that is sent by hand."""
    return await _each(codec.encode, given)


@router.options("/decode", include_in_schema=False)
@router.options("/encode", include_in_schema=False)
async def allow() -> Response:
    """What a browser asks before the page of the Temporal Web UI may send anything."""
    allowed = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "authorization, content-type, x-namespace, caller-type",
        "Access-Control-Max-Age": "600",
    }
    return Response(status_code=204, headers=allowed)


def _allow_page(request: Request, response: Response, services: Services) -> None:
    response.headers["Vary"] = "Origin"
    origin = request.headers.get("origin")
    if origin in services.options.temporal_ui_origins:
        response.headers["Access-Control-Allow-Origin"] = origin


def _why_refused(request: Request, services: Services) -> str | None:
    token = services.options.codec_token
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if token is not None and scheme.lower() == "bearer":
        wanted = token.get_secret_value().encode()
        return (
            None
            if hmac.compare_digest(given.strip().encode(), wanted)
            else "That is not its codec token"
        )
    if services.options.keys_required:
        return "No codec token was sent"
    return why_stranger(request.scope)


async def _each(
    work: Callable[[list[TemporalPayload]], Awaitable[list[TemporalPayload]]], given: CodecPayloads
) -> CodecPayloads:
    done: list[Payload] = []
    for index, payload in enumerate(given.payloads):
        try:
            (made,) = await work([TemporalPayload(metadata=payload.metadata, data=payload.data)])
        except AgentOSError as error:
            raise PayloadRefused(index=index, reason=str(error)) from error
        done.append(Payload.model_construct(metadata=dict(made.metadata), data=made.data))
    return CodecPayloads.model_construct(payloads=done)
