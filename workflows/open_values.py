"""Values of which a newer server may know more than its client does.

``Open[Status]`` is a state, or the name of one that is unknown here; ``OpenObject[Result]`` is a
result, or an object of another shape. The server makes and documents known values only; a client
reads with ``OPEN`` as the context of the validation, and keeps the others as they are.
"""

from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args

from pydantic import GetCoreSchemaHandler, JsonValue, ValidationError
from pydantic_core import CoreSchema, core_schema

OPEN: Final = "open"


class Unknown(str):
    """The name of a state, a type ... that is newer than this client.

    Nobody here can say that a state is final which they do not know. The server can: it ends the
    events of a task that has ended.
    """

    __slots__ = ()
    is_final: Literal[False] = False

    @property
    def value(self) -> str:
        return str(self)


class _Open:
    """Validates as the known members of a union, and keeps other values of the last one's type."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        *known, kept = get_args(source)
        is_kept = str if kept is Unknown else dict

        def read(
            value: Any,
            validate: core_schema.ValidatorFunctionWrapHandler,
            info: core_schema.ValidationInfo,
        ) -> Any:
            try:
                return validate(value)
            except ValidationError:
                # What was read openly may be handed on to another model.
                is_open = info.context == OPEN or isinstance(value, Unknown)
                if not is_open or not isinstance(value, is_kept):
                    raise
                return Unknown(value) if isinstance(value, str) else value

        return core_schema.with_info_wrap_validator_function(
            read,
            handler(Union[tuple(known)]),  # noqa: UP007
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value),
        )


Known = TypeVar("Known")
Open = Annotated[Known | Unknown, _Open()]
OpenObject = Annotated[Known | dict[str, JsonValue], _Open()]
