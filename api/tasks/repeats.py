"""Whether a request is the one that its idempotency key was first used for.

A file counts by its bytes, wherever they lie and whatever it is called: whoever uploads it again
says the same. What is fetched from elsewhere counts by its address.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from activities.store.database import Database
from activities.store.reading.asked_tasks import find_asked_task
from activities.store.reading.files import StoredRef, find_files
from activities.store.tasks import Accepted, GivenInput, GivenInputs
from activities.submissions import submission_of
from api.tasks.digests import digest_of
from api.tasks.json_values import is_same
from workflows.definitions.inputs import ArtifactRef, FileRef, parse
from workflows.definitions.task_request import TaskRequest
from workflows.errors.inputs import InputRefMalformed

_NAMES_SHOWN = 5
_PARAMETERS = "parameters"
_SOMETHING = "something else, such as the definition, the prompt or the priority"


async def given_inputs(database: Database, team_id: UUID, inputs: Mapping[str, str]) -> GivenInputs:
    """Inputs by their bytes, as far as the store has them."""
    refs = {name: ref for name, text in inputs.items() if (ref := _stored(text)) is not None}
    found = await find_files(database, team_id, refs.values())
    return {
        name: GivenInput(text, kept.sha256 if kept else None)
        for name, text in inputs.items()
        for kept in [found.get(refs[name]) if name in refs else None]
    }


async def difference(
    database: Database,
    team_id: UUID,
    earlier: Accepted,
    request: TaskRequest,
    given: GivenInputs,
) -> str | None:
    """What a request says that the ``earlier`` one did not; None where it is the same."""
    then = earlier.given
    if then is None:  # It is from a version that kept references only.
        then = await given_inputs(database, team_id, earlier.inputs)
    if said := _of_inputs(then, given):
        return said
    as_then = {name: then[name].ref for name in request.inputs}
    if digest_of(request.model_copy(update={"inputs": as_then})) == earlier.request_digest:
        return None
    same = "its inputs are the same, but " if given else ""
    others = await _others(database, team_id, earlier.id, request)
    return f"{same}it differs in {others or _SOMETHING}"


async def _others(database: Database, team_id: UUID, task_id: UUID, request: TaskRequest) -> str:
    """What differs from the task as it is now: a retry may have changed it, then nothing is found
    or too much. Of one whose type a model has chosen, the definition is not what was sent."""
    asked = await find_asked_task(database, team_id, task_id)
    if asked is None:
        return ""
    task = submission_of(request).task(task_id, team_id)
    told = [{"url": each.url, "events": [*each.events]} for each in task.callbacks]
    was_told = [{"url": c["url"], "events": [*c["events"]]} for c in asked.callbacks or ()]
    then, now = asked.definition or {}, task.definition or {}
    parts = {
        _part(then, now): asked.type is task.type and (then != now or bool(_parameters(then, now))),
        "the prompt": asked.prompt != task.prompt,
        "the priority": asked.priority != task.priority,
        "whether kept results are used (cache)": asked.cache != task.cache,
        "the callbacks": told != was_told,
    }
    return " and ".join(name for name, differs in parts.items() if differs)


def _part(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What of a definition differs: where that is no more, its parameters by name."""
    rest = [{k: v for k, v in each.items() if k != _PARAMETERS} for each in (then, now)]
    return (
        f"parameter {_listed(_parameters(then, now))}" if rest[0] == rest[1] else "the definition"
    )


def _parameters(then: Mapping[str, Any], now: Mapping[str, Any]) -> Sequence[str]:
    before, after = (each.get(_PARAMETERS) or {} for each in (then, now))
    return [n for n in {**before, **after} if not is_same(before.get(n), after.get(n))]


def _of_inputs(then: GivenInputs, now: GivenInputs) -> str:
    both = [name for name in now if name in then]
    parts = (
        ("has another content", [name for name in both if not _is_same(then[name], now[name])]),
        ("is new", [name for name in now if name not in then]),
        ("is missing", [name for name in then if name not in now]),
    )
    return "; ".join(f"input {_listed(names)} {what}" for what, names in parts if names)


def _is_same(then: GivenInput, now: GivenInput) -> bool:
    if then.ref == now.ref:
        return True
    return then.sha256 is not None and then.sha256 == now.sha256


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    shown = ", ".join(map(repr, names[:_NAMES_SHOWN]))
    return f"{shown} and {more} more" if more > 0 else shown


def _stored(text: str) -> StoredRef | None:
    """What the store should have; None for what is elsewhere, or no reference."""
    try:
        ref = parse(text)
    except InputRefMalformed:
        return None
    return ref if isinstance(ref, FileRef | ArtifactRef) else None
