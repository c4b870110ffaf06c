"""Who an agent is, from the fields of a form to the body of a request and back."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue
from starlette.datastructures import FormData

from api.web.forms import number_in, text_of, texts_of
from api.wire.responses.agents import Agent

PROFILE = ("role", "goal", "tone")
LIMITS = (
    *("turns", "tokens", "cost_usd", "seconds"),
    *("daily_tokens", "daily_cost_usd", "children", "hops"),
)
# Without these an agent has no limit of the kind; the others always have one.
_MAY_LACK = ("cost_usd", "daily_tokens", "daily_cost_usd")
EVERYTHING = "all"
SOME = "some"
_CHOICES = ("skills", "tools")

Values = Mapping[str, str | Sequence[str]]


def values_of_agent(agent: Agent) -> Values:
    """What the fields of its settings hold."""
    limits = {name: _shown(getattr(agent.limits, name)) for name in LIMITS}
    return {
        "name": agent.name,
        "role": agent.profile.role or "",
        "goal": agent.profile.goal or "",
        "tone": agent.profile.tone or "",
        "model": agent.model or "",
        "skills_of": EVERYTHING if agent.skills is None else SOME,
        "skills": agent.skills or [],
        "tools_of": EVERYTHING if agent.tools is None else SOME,
        "tools": agent.tools or [],
        **limits,
    }


def values_of_form(form: FormData) -> Values:
    """What was typed, to be shown again."""
    names = ("name", "template", "model", "skills_of", "tools_of", *PROFILE, *LIMITS)
    return {
        **{name: text_of(form, name) for name in names},
        **{name: texts_of(form, name) for name in _CHOICES},
    }


def new_agent(form: FormData) -> dict[str, JsonValue]:
    """The body that makes one. What is empty is left to the template, or to defaults."""
    body: dict[str, JsonValue] = {"name": text_of(form, "name").strip()}
    for name in ("template", "model", "parent_id"):
        if text := text_of(form, name).strip():
            body[name] = text
    profile = {name: text for name in PROFILE if (text := text_of(form, name).strip())}
    limits = {name: number_in(text) for name in LIMITS if (text := text_of(form, name).strip())}
    for choice in _CHOICES:
        if text_of(form, f"{choice}_of") == SOME:
            body[choice] = list(texts_of(form, choice))
    if profile:
        body["profile"] = dict(profile)
    if limits:
        body["limits"] = dict(limits)
    return body


def changed_agent(form: FormData) -> dict[str, JsonValue]:
    """The body that makes one what the form says: empty fields empty it."""
    limits: dict[str, JsonValue] = {}
    for name in LIMITS:
        text = text_of(form, name).strip()
        if text or name in _MAY_LACK:
            limits[name] = number_in(text) if text else None
    chosen: dict[str, JsonValue] = {
        choice: list(texts_of(form, choice)) if text_of(form, f"{choice}_of") == SOME else None
        for choice in _CHOICES
    }
    return {
        "name": text_of(form, "name").strip(),
        "profile": {name: text_of(form, name).strip() or None for name in PROFILE},
        "model": text_of(form, "model").strip() or None,
        "limits": limits,
        **chosen,
    }


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}" if isinstance(value, float) else str(value)
