"""What all tables share."""

from pydantic import ConfigDict
from sqlmodel import SQLModel


class Row(SQLModel):
    """A row is what the database has. Rows are never validated, so no validators are built."""

    model_config = ConfigDict(defer_build=True)  # type: ignore[assignment]
