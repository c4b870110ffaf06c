"""Queries that are asked over and over: made once, compiled once, and given to the driver itself.

To make a query of its columns takes longer than PostgreSQL needs to answer it, and what SQLAlchemy
does around each that it executes takes as long again.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Dialect, Select, TypeDecorator, bindparam
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import NULLTYPE, TypeEngine

_Process = Callable[[Any], Any]
_named_tuple: Any = namedtuple  # Of columns that no type checker knows.


@dataclass(frozen=True, slots=True)
class Reader:
    """A connection of asyncpg, in no transaction, for queries."""

    driver: Any
    dialect: Dialect


Asked: TypeAlias = Reader | AsyncConnection
"""Whom a query may be put to: a connection as ``Database.reader`` or as ``reading`` lends it."""


def given(name: str, kind: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """A value of a ``Query`` that whoever asks it gives. ``kind`` is its type, where it is compared
    with no column."""
    return bindparam(name, type_=kind, required=False)


class Query:
    """A query whose values are ``given`` by name."""

    def __init__(self, select: Select[*tuple[Any, ...]]) -> None:
        self._select = select

    async def rows(self, asked: Asked, **values: Any) -> Sequence[Any]:
        """All rows, whose columns are attributes."""
        if isinstance(asked, AsyncConnection):
            rows: Sequence[Any] = (await asked.execute(self._select, values)).all()
            return rows
        compiled = _compiled(self._select, asked.dialect)
        found = await asked.driver.fetch(
            compiled.sql, *(value.of(values) for value in compiled.values)
        )
        return list(map(compiled.row, found))

    async def row(self, asked: Asked, **values: Any) -> Any:
        """The only row; None where there is none."""
        rows = await self.rows(asked, **values)
        assert len(rows) <= 1, "this query may find one row only"
        return rows[0] if rows else None

    async def scalar(self, asked: Asked, **values: Any) -> Any:
        """The first column of the only row; None where there is none."""
        row = await self.row(asked, **values)
        return None if row is None else row[0]


@dataclass(frozen=True, slots=True)
class _Value:
    """One for $1, $2 and so on: the query's own, unless it ``is_given`` by name. ``process`` makes
    of it what PostgreSQL takes."""

    name: str
    own: Any
    is_given: bool
    process: _Process | None

    def of(self, values: Mapping[str, Any]) -> Any:
        value = values[self.name] if self.is_given else self.own
        return value if self.process is None else self.process(value)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """``processed`` are the columns that are not in Python what the driver makes of them."""

    sql: str
    values: Sequence[_Value]
    make: Callable[[Iterable[Any]], Any]
    processed: Sequence[tuple[int, _Process]]

    def row(self, found: Any) -> Any:
        if not self.processed:
            return self.make(found)
        columns = list(found)
        for index, process in self.processed:
            columns[index] = process(columns[index])
        return self.make(columns)


@lru_cache(maxsize=256)
def _compiled(select: Select[*tuple[Any, ...]], dialect: Dialect) -> _Compiled:
    compiled = select.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    columns = tuple(select.selected_columns)
    row = _named_tuple("Row", [str(column.key) for column in columns], rename=True)
    return _Compiled(
        sql=str(compiled),
        values=[_value(compiled, name, dialect) for name in compiled.positiontup or ()],
        make=row._make,
        processed=[
            (index, process)
            for index, column in enumerate(columns)
            if isinstance(type_ := column.type, TypeDecorator)
            and (process := type_.result_processor(dialect, None)) is not None
        ],
    )


def _value(compiled: SQLCompiler, name: str, dialect: Dialect) -> _Value:
    # Of the values of an IN only the first part is known by its name.
    known = compiled.binds.get(name)
    kind = (known.type if known is not None else NULLTYPE).dialect_impl(dialect)
    is_given = known is not None and not known.unique
    return _Value(name, compiled.params[name], is_given, kind.bind_processor(dialect))
