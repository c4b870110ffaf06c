"""The definition of a pipeline, as people write it in YAML or JSON."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    model_validator,
)

from workflows.definitions.durations import duration_text, read_duration
from workflows.definitions.inputs import MAX_INPUTS, InputName
from workflows.definitions.integers import INTEGRAL, Integer
from workflows.definitions.lifetimes import Lifetime

MAX_STEPS = 100
MAX_ARGUMENTS = 1_000
MAX_REFERENCES = 2_000  # Escaped ones, too, in all steps together.
MAX_SOURCE_CHARACTERS = 256 * 1024
DEFAULT_TIMEOUT = timedelta(minutes=5)
MIN_TIMEOUT = timedelta(seconds=0.1)
MAX_TIMEOUT = timedelta(hours=24)
DEFAULT_RETRIES = 3
MAX_RETRIES = 20
MAX_RETRY_ON = 64
MAX_VARIABLES = 64
MAX_VARIABLE_CHARACTERS = 32 * 1024
MAX_PARAMETERS = 200
MAX_PLACED_FILES = 1_000
MAX_FILE_NAME_BYTES = 255  # of a file in one folder, on Linux
MAX_ITEMS = 1_000
MAX_PARALLEL = 32
DEFAULT_PARALLEL = 4


def _to_duration(value: object) -> object:
    return read_duration(value, MIN_TIMEOUT, MAX_TIMEOUT, "at least 0.1s, at most 24h")


def _to_argument(value: object) -> object:
    """YAML reads ``--rows, 5`` as a number; a script is given text all the same."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number else value


def _to_value(value: str) -> str:
    if "\0" in value:
        raise ValueError("a variable cannot hold a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair; remove it") from None
    return value


def _to_parameter(value: str | int | float | bool) -> str | int | float | bool:
    # `cost$` before `${inputs.x}` would be read as `$${`, which is text.
    if isinstance(value, str) and value.endswith("$"):
        raise ValueError("it must not end with $, which would hide a reference behind it")
    return value


def _to_file_name(value: str) -> str:
    """A name in one folder, which programs take neither for an option nor for a way out of it."""
    if "/" in value or "\\" in value or value in (".", ".."):
        raise ValueError("a file is placed in one folder: its name has no / and no \\")
    if not value.isprintable() or value.startswith("-"):
        raise ValueError("it holds a character that cannot be printed, or begins with a hyphen")
    if len(value.encode()) > MAX_FILE_NAME_BYTES:
        raise ValueError(f"it has more than {MAX_FILE_NAME_BYTES} bytes")
    return value


StepId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
Argument = Annotated[str, Field(max_length=128 * 1024), BeforeValidator(_to_argument)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Variable = Annotated[
    str,
    Field(max_length=MAX_VARIABLE_CHARACTERS),
    BeforeValidator(_to_argument),
    AfterValidator(_to_value),
]
Parameter = Annotated[
    Annotated[str, Field(max_length=128 * 1024, strict=True)]
    | Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)],
    AfterValidator(_to_parameter),
]
PlacedName = Annotated[str, Field(min_length=1), AfterValidator(_to_file_name)]
Duration = Annotated[
    timedelta,
    BeforeValidator(_to_duration),
    PlainSerializer(duration_text, when_used="json"),
    Field(ge=MIN_TIMEOUT, le=MAX_TIMEOUT),
]
RetryOn = Literal["timeout", "any"] | Annotated[int, Field(strict=True, ge=1, le=255), INTEGRAL]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Code(_Model):
    """Code of the user's own, run like a skill script.

    With a ``skill``, it has that skill's folder, modules and packages at hand.
    """

    language: Literal["python", "shell", "javascript"]
    source: str = Field(min_length=1, max_length=MAX_SOURCE_CHARACTERS)
    skill: str | None = Field(default=None, min_length=1, max_length=64)


class Step(_Model):
    """One step: exactly one of ``skill``, ``tool`` and ``code``.

    ``args`` is a list for a skill or code (its command line), an object for a tool.
    ``env`` are further environment variables of a skill or code. ``files`` are those that it finds
    in ``/workspace/input`` beside what ``args`` name: names there, and a reference each.
    ``retry_on`` names failures to retry besides exit code 75 (temporary failure). ``cache`` is how
    long its result may be taken for that of an equal step.

    ``needs`` are the steps that it waits for: where it is left out, the step before it. With
    ``foreach`` the step runs once for each item of a list, or of the files of an earlier step;
    ``parallel`` items run at once at most.
    """

    id: StepId
    skill: str | None = Field(default=None, min_length=1, max_length=64)
    script: str | None = Field(default=None, min_length=1, max_length=255)
    tool: str | None = Field(default=None, min_length=1, max_length=128)
    code: Code | None = None
    args: Annotated[list[Argument], Field(max_length=MAX_ARGUMENTS)] | dict[str, JsonValue] = []
    env: dict[VariableName, Variable] = Field(default={}, max_length=MAX_VARIABLES)
    files: dict[PlacedName, Variable] = Field(default={}, max_length=MAX_PLACED_FILES)
    timeout: Duration = DEFAULT_TIMEOUT
    retries: Integer = Field(default=DEFAULT_RETRIES, ge=0, le=MAX_RETRIES)
    retry_on: tuple[RetryOn, ...] = Field(default=(), max_length=MAX_RETRY_ON)
    cache: Lifetime = None
    needs: tuple[StepId, ...] | None = Field(default=None, max_length=MAX_STEPS)
    foreach: (
        Annotated[str, Field(max_length=1_000)]
        | Annotated[list[JsonValue], Field(max_length=MAX_ITEMS)]
        | None
    ) = None
    parallel: Annotated[int, Field(strict=True, ge=1, le=MAX_PARALLEL), INTEGRAL] | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_no_arguments(cls, value: object) -> object:
        """A tool takes an object, also when there is nothing in it."""
        if isinstance(value, dict) and value.get("tool") and value.get("args", []) == []:
            return {**value, "args": {}}
        return value

    @property
    def kind(self) -> Literal["skill", "tool", "code"]:
        return "skill" if self.skill else "tool" if self.tool else "code"

    @property
    def json_args(self) -> JsonValue:
        """``args`` as a JSON value: a list of texts or an object."""
        return [*self.args] if isinstance(self.args, list) else self.args

    @property
    def json_values(self) -> JsonValue:
        """All that may hold references but for ``foreach``, as one JSON value."""
        return [self.json_args, {**self.env}, {**self.files}]

    @property
    def runs(self) -> str:
        """What the step runs, in a word or two: ``csv-clean``, ``write_file``, ``python code``."""
        return self.skill or self.tool or (f"{self.code.language} code" if self.code else "nothing")


class Pipeline(_Model):
    """A fixed list of steps, run one after the other unless their ``needs`` say otherwise.

    ``parameters`` are values that stand at one place, to be changed there: steps refer to them.
    ``parallel`` steps and items run at once at most.
    """

    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2_000)
    inputs: list[InputName] = Field(default=[], max_length=MAX_INPUTS)
    parameters: dict[InputName, Parameter] = Field(default={}, max_length=MAX_PARAMETERS)
    parallel: Integer = Field(default=DEFAULT_PARALLEL, ge=1, le=MAX_PARALLEL)
    steps: list[Step] = Field(min_length=1, max_length=MAX_STEPS)

    @property
    def is_graph(self) -> bool:
        """Whether it is more than a list of steps, one after the other."""
        return any(step.needs is not None or step.foreach is not None for step in self.steps)
