"""The audit log, with a way to what each entry is about."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request, Response

from api.http.routes.audit import list_audit
from api.web.page import pages, render
from api.web.paging import first_page, next_page
from api.wire.audit_actions import ACTIONS
from api.wire.responses.audit import AuditEntry
from api.wire.responses.pages import Page

router = pages()

# Where the target of a kind of action is shown.
_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "task": "/tasks/{}",
        "call": "/tasks/{}",
        "tool": "/tools/{}",
        "mcp_server": "/tools/{}",
        "breaker": "/tools/breakers",
        "dead_letter": "/dead-letters/{}",
        "bulk": "/bulk/{}",
        "schedule": "/schedules/{}",
        "webhook": "/webhooks",
        "agent": "/agents/{}",
        "message": "/agents/{}",
        "group": "/groups/{}",
        "key": "/settings",
        "team": "/settings",
    }
)
_GONE = ("deleted", "removed")
KINDS = tuple(ACTIONS)


@router.get("/audit")
async def audit_page(
    request: Request, entries: Annotated[Page[AuditEntry], Depends(list_audit)]
) -> Response:
    """List what people did, newest first."""
    return render(
        request,
        "audit/audit.html",
        entries=entries,
        place_of=place_of,
        kinds=sorted(KINDS),
        given=request.query_params,
        first=first_page(request),
        next=next_page(request, entries),
    )


def place_of(entry: AuditEntry) -> str | None:
    """The page of what it was done to; None where there is none, or none any more."""
    kind, _, verb = entry.action.partition(".")
    if verb in _GONE or kind not in _PLACES:
        return None
    return _PLACES[kind].format(quote(entry.target, safe=""))
