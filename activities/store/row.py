"""What all tables share."""

from pydantic import ConfigDict
from sqlmodel import SQLModel


class Row(SQLModel):
    """A row is what the database has: nothing validates one, so that no validators are made."""

    model_config = ConfigDict(defer_build=True)  # type: ignore[assignment]
