"""Why the API refuses a request, and the HTTP status that says so."""

from collections.abc import Iterable, Sequence
from typing import ClassVar
from uuid import UUID

from api.wire.yaml_places import Place
from workflows.errors import AgentOSError, BadInput
from workflows.pointers import MAX_PROBLEMS, Problem
from workflows.suggestions import nearest

_PROBLEMS_SHOWN = 3
# A request can have a name of megabytes, and fifty mistakes below it.
_POINTER_CHARACTERS = 1_000
_MESSAGE_CHARACTERS = 2_000


class RequestRefused(AgentOSError):
    """The request was refused: {reason}."""

    status: ClassVar[int] = 400


class HttpMalformed(RequestRefused):
    """What was sent is not valid HTTP, or its head is larger than 64 KiB."""


class HeaderMalformed(RequestRefused):
    """The header {header} is not valid: {reason}."""


class KeyRefused(RequestRefused):
    """{reason} Send `Authorization: Bearer ak_...` with a key of your team."""

    status = 401


class StrangerRefused(KeyRefused):
    """{reason}, and without an API key only the user who runs AgentOS and root are let in. Send
    `Authorization: Bearer ak_...` (AGENTOS_API_KEY) with a key that this user has made with
    `agentos keys create NAME`. AGENTOS_OPEN_LOOPBACK=true lets everybody on this machine in."""


class CodecGuarded(KeyRefused):
    """{reason}. Payloads, which are of all teams, are decrypted here for the user who runs AgentOS,
    and for whoever sends `Authorization: Bearer ...` with the AGENTOS_CODEC_TOKEN of this server.
    """


class CodecMissing(RequestRefused):
    """This server encrypts nothing that Temporal keeps. Set AGENTOS_CODEC_KEY for it and for the
    workers, and restart them."""

    status = 404


class PayloadRefused(RequestRefused):
    """Payload {index} was refused: {reason}"""

    status = 422


class OriginRefused(RequestRefused):
    """Requests {reason} are refused, because any web page could send them. {remedy}"""

    status = 403


class ForeignPage(RequestRefused):
    """This request comes from a page of another site, and only AgentOS's own pages may change
    something in its name. Open AgentOS itself, and do it there."""

    status = 403


class ServersOfOwner(RequestRefused):
    """{reason}, and only the user who runs AgentOS may register MCP servers here, since their
    programs run as that user. That user can list what others may register in AGENTOS_MCP_COMMANDS
    and AGENTOS_MCP_HOSTS."""

    status = 403


class NotFound(RequestRefused):
    """There is no {kind} {id}.{hint}"""

    status = 404

    def __init__(self, *, kind: str, id: object, hint: str = "") -> None:  # noqa: A002
        super().__init__(kind=kind, id=id, hint=f" {hint}" if hint else "")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """For the end of a message; nothing where no name is like it."""
    meant = nearest(name, known)
    return f"Did you mean {meant}?" if meant else ""


class SkillFileNotText(RequestRefused):
    """{reason}"""

    status = 422


class StepNotFound(RequestRefused):
    """Task {task} has no step {step!r}. It has: {known}."""

    status = 404


class BreakerNotFound(RequestRefused):
    """There is no breaker {name}. There is `tool:NAME` for each tool, `mcp:SERVER` for each MCP
    server that is registered (`agentos tools ls` lists both), and `model:NAME` for each model that
    is asked.{hint}"""

    status = 404


class PageNotFound(RequestRefused):
    """There is nothing at {path}. {hint}"""

    status = 404


class MethodNotAllowed(RequestRefused):
    """{path} does not support {method}."""

    status = 405


class RequestTimedOut(RequestRefused):
    """The request did not arrive in time: {reason}. Send it again, over a faster connection."""

    status = 408


class StateConflict(RequestRefused):
    """Task {id} cannot be {action}: {reason}."""

    status = 409


class FileInUse(RequestRefused):
    """File {id} cannot be deleted: {reason}."""

    status = 409


class PlanMissing(RequestRefused):
    """Task {id} is of type {type}, so it has no plan. `agentos show {id}`, or GET /tasks/{id},
    shows what it has."""

    status = 409


class ApprovalConflict(RequestRefused):
    """The decision on call {name!r} is not accepted: {reason}."""

    status = 409


class WebhookConflict(RequestRefused):
    """{reason}"""

    status = 409


class SealingKeyMissing(RequestRefused):
    """Secrets of webhooks are kept encrypted, and this server has no key for that. Set
    AGENTOS_SECRETS_KEY for API and workers; make one with `openssl rand -base64 32`."""

    status = 409


class IdempotencyConflict(RequestRefused):
    """The Idempotency-Key {key!r} was already used for a different request{made}{difference}. Use a
    new key, or send what was sent then."""

    status = 409

    def __init__(
        self, *, key: str | None, difference: str = "", task_id: UUID | None = None
    ) -> None:
        made = f", which has made task {task_id}" if task_id else ""
        super().__init__(key=key, made=made, difference=f": {difference}" if difference else "")


class NobodyListens(RequestRefused):
    """Task {id} cannot be told anything: {reason}."""

    status = 409


class ToldTooMuch(RequestRefused):
    """The agent of task {id} was told as much as it can be: {messages} messages, or {characters}
    characters. Let it end, and submit what is left as a task of its own."""

    status = 409


class TooLarge(RequestRefused):
    """The request is larger than {limit} bytes, which is the limit."""

    status = 413


class MediaTypeRefused(RequestRefused):
    """The content type {given!r} is not supported. Send {known}."""

    status = 415


class ServerNotUsable(RequestRefused):
    """{reason} Nothing was changed."""

    status = 424


class RangeRefused(RequestRefused):
    """The range {given!r} is outside the {size} bytes of this file."""

    status = 416


class TooManyViewers(RequestRefused):
    """Too many event streams are open on this server or for your team. Close one, or try again
    later."""

    status = 429


class TooManyBreakers(RequestRefused):
    """The team has as many breakers as are kept. Those that stay closed are forgotten after a
    week."""

    status = 409


class TooManyKeys(RequestRefused):
    """The team has {most} keys in use, which is the limit. Revoke one that nobody needs."""

    status = 409


class TooManyConnections(RequestRefused):
    """Too many connections are open to this server. Try again later."""

    status = 503


class InvalidRequest(BadInput, RequestRefused):
    """The request is not valid: {summary}"""

    status = 422

    # Where a text in the request ends to be YAML; then that is the place of its problems.
    broken_at: Place | None = None

    def __init__(self, problems: Sequence[Problem]) -> None:
        problems = [_shortened(problem) for problem in problems[:MAX_PROBLEMS]]
        self.problems = tuple(problems)
        shown = "; ".join(
            f"{p.pointer}: {p.message}" if p.pointer else p.message
            for p in problems[:_PROBLEMS_SHOWN]
        )
        more = len(problems) - _PROBLEMS_SHOWN
        super().__init__(summary=f"{shown} (and {more} more)" if more > 0 else shown)


def _shortened(problem: Problem) -> Problem:
    """It points to what encloses the place, if the way to that is too long."""
    place, message = problem.pointer, problem.message
    if len(place) > _POINTER_CHARACTERS:
        place = place[: _POINTER_CHARACTERS + 1].rpartition("/")[0]
    if len(message) > _MESSAGE_CHARACTERS:
        message = f"{message[:_MESSAGE_CHARACTERS]}..."
    return Problem(place, message, problem.parameter, problem.line)
