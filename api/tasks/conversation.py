"""Reading what was said in a task."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import Message
from api.http.paging import cut_at
from api.tasks.queries import AnyRow
from api.wire import responses

# A page of messages ends early here, whatever its limit; one message is always given whole.
MAX_PAGE_BYTES = 8 * 1024 * 1024


async def list_messages(
    database: Database, task_id: UUID, after: int, limit: int
) -> tuple[Sequence[responses.Message], int | None]:
    """A page of the conversation from number ``after`` on, and the number of its last message if
    there are more."""
    query = (
        select(col(Message.seq), func.octet_length(col(Message.content)).label("size"))
        .where(col(Message.task_id) == task_id, col(Message.seq) > after)
        .order_by(col(Message.seq))
        .limit(limit + 1)
    )
    async with database.reading() as connection:
        sizes = (await connection.execute(query)).all()
        count = cut_at([row.size for row in sizes], limit, MAX_PAGE_BYTES)
        if not sizes:
            return [], None
        last = sizes[count - 1].seq
        rows = await connection.execute(
            select(*_MESSAGE)
            .where(col(Message.task_id) == task_id, col(Message.seq).between(after + 1, last))
            .order_by(col(Message.seq))
        )
        return [_message(row) for row in rows], last if len(sizes) > count else None


_MESSAGE = (
    col(Message.seq),
    col(Message.turn),
    col(Message.role),
    col(Message.content),
    col(Message.requests),
    col(Message.request_id),
    col(Message.sub_task_id),
    col(Message.model),
    col(Message.prompt_tokens),
    col(Message.completion_tokens),
    col(Message.cost_usd),
    col(Message.first_token_ms),
    col(Message.duration_ms),
    col(Message.created_at),
)


def _message(row: AnyRow) -> responses.Message:
    return responses.Message.model_validate(
        {
            **row._asdict(),
            "requests": row.requests or [],
            "usage": row._asdict() if row.role == "assistant" else None,
        }
    )
