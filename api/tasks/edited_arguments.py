"""Arguments of a call that a person has edited before approving it."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from activities.store.approvals import AskedCall
from activities.store.reading.plan_calls import PLAN_CALL
from api.errors import InvalidRequest
from api.services import Services
from api.tasks.kinds.base import wrong
from api.wire.requests import ApprovalRequest
from workflows.pointers import Problem

Arguments = Mapping[str, JsonValue]

_AT = "/arguments"


def edited_arguments(call: AskedCall, request: ApprovalRequest) -> Arguments | None:
    """What a call is to be made with; None where that is what the model asked for."""
    given = request.arguments
    return None if given is None or given == call.context.get("arguments") else given


def check_arguments(services: Services, call: AskedCall, request: ApprovalRequest) -> None:
    """Judge edited arguments as those of the model are judged. Raises ``InvalidRequest``."""
    arguments = edited_arguments(call, request)
    if arguments is None:
        return
    if request.decision != "approve":
        raise wrong(_AT, "arguments are for a call that is approved; say in the note what is wrong")
    if call.task_type == PLAN_CALL:
        raise wrong(_AT, "the call makes a plan; send its `nodes` as they are to be")
    if call.approval.kind != "approval":
        raise wrong(_AT, "the call asks a question, which the note answers")
    tool = services.tools.tools.get(str(call.context.get("tool")))
    if tool is not None and (found := tool.problems(arguments)):
        raise InvalidRequest([Problem(f"{_AT}{place}", message) for place, message in found])


def with_arguments(call: AskedCall, arguments: Arguments) -> AskedCall:
    """The call as its row has it once these are written down."""
    return replace(call, context={**call.context, "arguments": dict(arguments), "is_edited": True})


def has_other_arguments(call: AskedCall, request: ApprovalRequest) -> bool:
    """Whether a call that was decided on is one with other arguments than these."""
    return edited_arguments(call, request) is not None
