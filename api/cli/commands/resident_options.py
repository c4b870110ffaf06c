"""An agent that stays, as a command line describes it."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from api.cli.commands import agent_options as options
from api.cli.commands.options import key_option
from workflows.definitions.resident import DEFAULT_CHILDREN, DEFAULT_HOPS

_PROFILE = ("role", "goal", "tone")
_LIMITS = {
    "turns": "turns",
    "tokens": "tokens",
    "cost": "cost_usd",
    "seconds": "seconds",
    "daily_tokens": "daily_tokens",
    "daily_cost": "daily_cost_usd",
    "children": "children",
    "hops": "hops",
}


def _option(what: str, name: str, *, unit: str = "N", default: str = "") -> Any:
    return typer.Option(name, metavar=unit, help=what, show_default=default or False)


Agent = Annotated[
    str,
    typer.Argument(
        metavar="NAME|ID",
        show_default=False,
        help="An agent's name, its id, or the first six or more characters of that.",
    ),
]
Key = Annotated[str | None, key_option("Doing it again with the same key changes nothing.")]
SpokenName = Annotated[
    str | None, _option("What it calls itself.", "--profile-name", unit="TEXT", default="NAME")
]
Turns = Annotated[int | None, _option("Turns of the model for an answer.", "--turns")]
Tokens = Annotated[int | None, _option("Tokens for an answer.", "--tokens")]
Cost = Annotated[float | None, _option("US dollars for an answer.", "--cost", unit="USD")]
Seconds = Annotated[float | None, _option("Seconds of work for an answer.", "--seconds")]
DailyTokens = Annotated[int | None, _option("Tokens a day.", "--daily-tokens", default="any")]
DailyCost = Annotated[
    float | None, _option("US dollars a day.", "--daily-cost", unit="USD", default="any")
]
Children = Annotated[
    int | None,
    _option("How many agents it may make.", "--children", default=f"{DEFAULT_CHILDREN}"),
]
Hops = Annotated[
    int | None,
    _option("How long agents may answer each other.", "--hops", default=f"{DEFAULT_HOPS}"),
]


def with_definition(handle: Callable[..., None]) -> Callable[..., None]:
    """A command that takes what ``handle`` does and the options of a definition; of these it is
    given ``said``, those fields of a request that they set."""

    def command(**options: Any) -> None:
        own = {item.name: options.pop(item.name) for item in before}
        handle(**own, said=_fields(**options))

    before = [item for item in inspect.signature(handle).parameters.values() if item.name != "said"]
    # Typer reads the parameters of a command from here.
    every = [*before, *inspect.signature(_definition).parameters.values()]
    command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    command.__annotations__ = {item.name: item.annotation for item in every}
    command.__name__, command.__doc__ = handle.__name__, handle.__doc__
    return command


def _definition(
    *,
    profile_name: SpokenName = None,
    role: options.Role = None,
    goal: options.Goal = None,
    tone: options.Tone = None,
    skills: options.Skills = None,
    tools: options.Tools = None,
    model: options.Model = None,
    turns: Turns = None,
    tokens: Tokens = None,
    cost: Cost = None,
    seconds: Seconds = None,
    daily_tokens: DailyTokens = None,
    daily_cost: DailyCost = None,
    children: Children = None,
    hops: Hops = None,
) -> None:
    """The options that describe an agent."""


def _fields(**given: Any) -> dict[str, Any]:
    """What the options of a command line say of a definition, without those that say nothing."""
    said = {name: value for name, value in given.items() if value is not None}
    profile = {name: said[name] for name in _PROFILE if name in said}
    if "profile_name" in said:
        profile["name"] = said["profile_name"]
    limits = {field: said[name] for name, field in _LIMITS.items() if name in said}
    plain: dict[str, Any] = {
        name: said[name] for name in ("skills", "tools", "model") if name in said
    }
    nested = {"profile": profile, "limits": limits}
    return {**plain, **{name: value for name, value in nested.items() if value}}
