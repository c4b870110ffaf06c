"""The kinds of columns that the tables have in common."""

from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import DateTime, Dialect, Text, TypeDecorator, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from workflows.errors.services import DatabaseNewer

Member = TypeVar("Member", bound=StrEnum)


class EnumText(TypeDecorator[Member]):
    """A ``StrEnum`` kept as text: a new state then needs no migration of a database type.

    Reading raises ``DatabaseNewer`` for a text that is none of its members.
    """

    impl = Text
    cache_ok = True

    def __init__(self, enum: type[Member]) -> None:
        super().__init__()
        self.enum = enum

    def process_result_value(self, value: str | None, dialect: Dialect) -> Member | None:
        return None if value is None else member_of(self.enum, value)


def member_of(enum: type[Member], value: str) -> Member:
    """Raises ``DatabaseNewer`` for a text that is none of its members."""
    try:
        return enum(value)
    except ValueError as error:
        raise DatabaseNewer(kind=enum.__name__, value=value) from error


def json_column(*, nullable: bool = True) -> Any:
    return Field(default=None, sa_type=JSONB, nullable=nullable)


def text_column(default: str | None = None) -> Any:
    return Field(default=default, sa_type=Text)


def enum_column(enum: type[StrEnum], default: StrEnum | None = None) -> Any:
    return Field(default=default, sa_type=EnumText(enum))


def moment_column() -> Any:
    return Field(default=None, sa_type=DateTime(timezone=True))


def created_at_column() -> Any:
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now()},
        nullable=False,
    )


def team_column() -> Any:
    return Field(foreign_key="teams.id", index=False)
