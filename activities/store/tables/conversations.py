"""The conversations of agents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from activities.store.columns import created_at_column, json_column, team_column, text_column
from activities.store.row import Row


class Message(Row, table=True):
    """A message of an agent's conversation: ``seq`` counts from 1 within the task.

    ``requests`` are the tool calls of an assistant's message, ``request_id`` names the one that a
    tool's message answers, and ``sub_task_id`` is its row. ``is_protected``: never shortened for
    the model. ``opaque`` is what goes back to the model that wrote the message, and is for nobody
    else. ``execution`` wrote it (see ``Task``). Tokens, cost and times are those of the call
    of the model that gave an assistant's message, and ``thought`` is what the workflow received.
    """

    __tablename__ = "messages"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True)
    team_id: UUID = team_column()
    turn: int
    role: str = text_column()
    content: str = text_column("")
    requests: list[dict[str, Any]] | None = json_column()
    opaque: dict[str, Any] | None = json_column()
    thought: dict[str, Any] | None = json_column()
    request_id: str | None = text_column()
    sub_task_id: UUID | None = None
    is_protected: bool = False
    execution: str = text_column()
    model: str | None = text_column()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    first_token_ms: int | None = None
    duration_ms: int | None = None
    created_at: datetime = created_at_column()


class LostAnswer(Row, table=True):
    """What the answers took that broke off in a turn of an agent, as one ``execution`` made it.

    They are counted as the team's at once, and as the turn's when it has an answer.
    """

    __tablename__ = "lost_answers"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    turn: int = Field(primary_key=True)
    execution: str = Field(primary_key=True, sa_type=Text)
    team_id: UUID = team_column()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0


class ToldMessage(Row, table=True):
    """What a person has told the agent of a task while it was at work: ``number`` counts from 1
    within the task. ``seq`` is that of the message of the conversation in which the model has read
    it; none has as long as that is None. A repeat has the ``client_key`` of what was told first,
    and the same ``request_digest``.
    """

    __tablename__ = "told_messages"
    __table_args__ = (UniqueConstraint("task_id", "client_key"),)

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    team_id: UUID = team_column()
    from_name: str = text_column()
    content: str = text_column()
    seq: int | None = None
    client_key: str | None = text_column()
    request_digest: str | None = text_column()
    created_at: datetime = created_at_column()
