"""The audit log: who did what, when, and why."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Query

from activities.store.reading.audit import AuditFilter, list_entries
from api.http.dependencies import ServicesDep, TeamDep
from api.http.paging import CursorText, Limit, Moment, cursor_text, parse_cursor
from api.http.routing import Routes
from api.wire.requests import Text
from api.wire.responses.audit import AuditEntry
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = Routes(prefix="/audit", tags=["audit"])

Word = Annotated[Text, Query(min_length=1, max_length=200)]


@router.get("", operation_id="listAuditEntries")
async def list_audit(
    *,
    services: ServicesDep,
    team_id: TeamDep,
    actor: Word | None = None,
    action: Annotated[tuple[Word, ...], Query(max_length=50)] = (),
    target: Word | None = None,
    text: Word | None = None,
    created_after: Moment | None = None,
    created_before: Moment | None = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[AuditEntry]:
    """List what people did, newest first. Entries are never changed.

    ``actor`` is the name of a key, or ``local user``; ``action`` one such as ``task.cancelled``, or
    ``task`` for all that is done to tasks; ``target`` the beginning of an id or a name; ``text``
    something in the note.
    """
    wanted = AuditFilter(actor, action, target, text, created_after, created_before)
    items, following = await list_entries(
        services.database, team_id, wanted, parse_cursor(cursor), limit
    )
    entries = [AuditEntry(**asdict(item)) for item in items]
    return Page(items=entries, next_cursor=cursor_text(following))
