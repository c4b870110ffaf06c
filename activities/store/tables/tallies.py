"""How tasks started and ended, as metrics count it."""

from sqlalchemy import BigInteger, Column, Identity, Text
from sqlmodel import Field

from activities.store.columns import text_column
from activities.store.row import Row

STARTED = "started"


class TaskMark(Row, table=True):
    """A task that started, or ended with the state ``outcome``, and was not tallied yet. The
    trigger ``mark_task`` writes it."""

    __tablename__ = "task_marks"

    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    type: str = text_column()
    outcome: str = text_column()
    seconds: float


class TaskTally(Row, table=True):
    """Those that took ``most_seconds`` at most, and more than those of the row before; together
    they took so many ``seconds``. It is of all teams, and survives tasks that are deleted."""

    __tablename__ = "task_tallies"

    type: str = Field(primary_key=True, sa_type=Text)
    outcome: str = Field(primary_key=True, sa_type=Text)
    most_seconds: float = Field(primary_key=True)
    count: int = Field(sa_type=BigInteger)
    seconds: float
