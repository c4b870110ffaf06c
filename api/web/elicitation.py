"""Forms that servers want a person to fill in, as fields of a page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from starlette.datastructures import FormData

from activities.tools.mcp.forms import Field
from activities.tools.mcp.questions import Question
from api.wire.responses.approvals import Approval
from workflows.pointers import Problem

# How a browser asks for what has such a format.
_INPUTS: Mapping[str, str] = {"email": "email", "uri": "url", "date": "date"}
_YES_OR_NO: Mapping[str, str] = {"yes": "Yes", "no": "No"}
_LIMITS = {
    "minimum": "min",
    "maximum": "max",
    "minLength": "minlength",
    "maxLength": "maxlength",
}
_MANY = 20_000


@dataclass(frozen=True, slots=True)
class FormField:
    """A field as it is drawn. ``key`` is its name in the page, where that of the server is only
    shown. ``control`` is ``select``, ``several`` (boxes to tick) or the type of an input."""

    key: str
    name: str
    label: str
    hint: str
    control: str
    value: str
    choices: Mapping[str, str] = field(default_factory=dict)
    chosen: Sequence[str] = ()
    is_required: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def fields_of_form(
    asked: Approval, given: FormData | None = None, problems: Sequence[Problem] = ()
) -> list[FormField]:
    """What is to be filled in, with what was ``given`` before and what was wrong with that."""
    found = []
    for place, part in enumerate(_question(asked).fields.values()):
        key = f"field-{place}"
        said = next((each.message for each in problems if _is_about(each, part)), "")
        found.append(_drawn(key, part, given, said))
    return found


def answer_in(asked: Approval, given: FormData) -> str:
    """What was filled in, as the note that answers. What was left empty is left out."""
    answer: dict[str, JsonValue] = {}
    for place, part in enumerate(_question(asked).fields.values()):
        values = [str(value) for value in given.getlist(f"field-{place}") if str(value) != ""]
        if values:
            is_several = part.part.get("type") == "array" and part.choices
            answer[part.name] = [*values] if is_several else values[0]
    return json.dumps(answer, ensure_ascii=False)


def words_of(asked: Approval) -> str:
    """The question without what it says of the form, which is drawn."""
    whole = asked.question or ""
    if asked.form is None:
        return whole
    return whole.removesuffix(_question(asked).shown)


def is_about_a_field(problem: Problem, asked: Approval) -> bool:
    return any(_is_about(problem, part) for part in _question(asked).fields.values())


def _question(asked: Approval) -> Question:
    return Question("", asked.form)


def _drawn(key: str, part: Field, given: FormData | None, problem: str) -> FormField:
    kind = str(part.part.get("type", "string"))
    values = _values(part) if given is None else [str(each) for each in given.getlist(key)]
    choices = _YES_OR_NO if kind == "boolean" else part.choices
    control = "text"
    if kind == "array":
        control = "several" if choices else "text"
    elif choices:
        control = "select"
    elif kind in ("integer", "number"):
        control = "number"
    else:
        control = _INPUTS.get(str(part.part.get("format")), "text")
    return FormField(
        key=key,
        name=part.name,
        label=str(part.part.get("title") or part.name),
        hint=str(part.part.get("description") or ""),
        control=control,
        value=", ".join(values),
        choices=choices,
        chosen=values,
        is_required=part.is_required and part.default is None,
        attributes=_attributes(part, control),
        problem=problem,
    )


def _values(part: Field) -> list[str]:
    """What stands there at first: the default."""
    default = part.default
    if default is None:
        return []
    if isinstance(default, bool):
        return ["yes" if default else "no"]
    return [str(each) for each in default] if isinstance(default, list) else [str(default)]


def _attributes(part: Field, control: str) -> Mapping[str, str]:
    found = {
        name: str(limit)
        for given, name in _LIMITS.items()
        if isinstance(limit := part.part.get(given), int | float) and not isinstance(limit, bool)
    }
    if control == "number":
        step = "1" if part.part.get("type") == "integer" else "any"
        return {"step": step, **{name: found[name] for name in ("min", "max") if name in found}}
    if control in ("text", "email", "url"):
        names = ("minlength", "maxlength")
        lengths = {name: found[name] for name in names if found.get(name, "").isdigit()}
        return {"maxlength": str(_MANY), **lengths}
    return {}


def _is_about(problem: Problem, part: Field) -> bool:
    return problem.message.startswith((f"{part.name!r} ", f"there is no field {part.name!r}"))
