"""The definition of an agent, as people write it: who it is, what it may use, when it must stop."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from workflows.definitions.integers import Integer

MAX_NAMES = 200
MAX_OUTPUT_FILES = 20
MAX_TURNS = 10_000
MAX_SECONDS = 30 * 24 * 3_600.0
DEFAULT_TURNS = 50
DEFAULT_TOKENS = 1_000_000
MAX_TOKENS = 10**15
DEFAULT_SECONDS = 3_600.0

Name = Annotated[str, Field(min_length=1, max_length=200)]
FileName = Annotated[str, Field(min_length=1, max_length=255)]
OutputFiles = Annotated[tuple[FileName, ...], Field(max_length=MAX_OUTPUT_FILES)]
Names = Annotated[tuple[Name, ...], Field(max_length=MAX_NAMES)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Profile(_Model):
    """The persona the model adopts. ``goal`` is its general purpose; the task is the prompt."""

    name: str = Field(default="Agent", min_length=1, max_length=100)
    role: str | None = Field(default=None, max_length=1_000)
    goal: str | None = Field(default=None, max_length=4_000)
    tone: str | None = Field(default=None, max_length=500)


class Limits(_Model):
    """Limits of a run. The first one reached ends it.

    ``tokens`` counts prompts and answers, ``cost_usd`` is their cost at the prices configured on
    the server, and ``seconds`` is working time: waiting for people does not count.
    """

    turns: Integer = Field(default=DEFAULT_TURNS, ge=1, le=MAX_TURNS)
    tokens: Integer = Field(default=DEFAULT_TOKENS, ge=1, le=MAX_TOKENS)
    cost_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    seconds: float = Field(default=DEFAULT_SECONDS, ge=1, le=MAX_SECONDS)


class Agent(_Model):
    """``skills`` and ``tools`` name what it may use; None allows everything its team may use.

    ``output_files`` are names of files that it must have made before it may finish. ``model`` is
    tried first; None is the server's first. ``output_schema`` is a JSON schema that
    the result passed to ``finish`` must match. One that ``stays`` answers in words, and has no
    ``finish``.
    """

    stays: ClassVar[bool] = False

    profile: Profile = Profile()
    skills: Names | None = None
    tools: Names | None = None
    model: str | None = Field(
        default=None, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"
    )
    output_schema: dict[str, JsonValue] | None = None
    output_files: OutputFiles = ()
    limits: Limits = Limits()
