"""What a group is, from the fields of a form to the body of a request and back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from starlette.datastructures import FormData

from api.web.forms import number_in, text_of, texts_of
from api.wire.responses.groups import Group

GROUP_LIMITS = ("rounds", "tokens", "cost_usd", "turn_seconds")


@dataclass(frozen=True, slots=True)
class GroupValues:
    """What the fields hold."""

    name: str = ""
    mode: str = "open"
    members: Sequence[str] = ()
    answering: Sequence[str] = ()
    limits: dict[str, str] = field(default_factory=lambda: dict.fromkeys(GROUP_LIMITS, ""))


NO_VALUES = GroupValues()


def values_of_form(form: FormData) -> GroupValues:
    return GroupValues(
        text_of(form, "name"),
        text_of(form, "mode") or "open",
        texts_of(form, "members"),
        texts_of(form, "answering"),
        {name: text_of(form, name) for name in GROUP_LIMITS},
    )


def values_of_group(group: Group) -> GroupValues:
    limits = group.limits.model_dump()
    return GroupValues(
        group.name,
        str(group.mode),
        [str(member.id) for member in group.members],
        [str(member.id) for member in group.members if member.answers],
        {name: "" if limits[name] is None else f"{limits[name]:g}" for name in GROUP_LIMITS},
    )


def new_group(form: FormData) -> dict[str, JsonValue]:
    """The body that makes one. Those that answer are members, too."""
    answering = texts_of(form, "answering")
    members = dict.fromkeys([*texts_of(form, "members"), *answering])
    return {**_whole(form), "members": list(members), "answering": list(answering)}


def changed_group(form: FormData) -> dict[str, JsonValue]:
    """The body that makes one what the form says."""
    return {**_whole(form), "answering": list(texts_of(form, "answering"))}


def _whole(form: FormData) -> dict[str, JsonValue]:
    typed = ((name, text_of(form, name).strip()) for name in GROUP_LIMITS)
    return {
        "name": text_of(form, "name").strip(),
        "mode": text_of(form, "mode") or "open",
        "limits": {name: number_in(text) for name, text in typed if text},
    }
