"""How failures are written into workflow history: what kind they are, and nothing in words.

The message of an error may quote files, scripts, models and servers. Temporal keeps history for
whoever may look at its namespace, so there a failure has its code only. Its words are in the rows
of the task, and in the log of the worker.
"""

import json
import re
from copy import copy
from typing import Self

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverter,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from workflows.contracts import RETRIES_USED_UP, task_id_of
from workflows.errors import AgentOSError
from workflows.resident_contracts import agent_id_of

# Codes of ours, names of exceptions, and what the SDK calls some of its own.
_CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_UNKNOWN = "error"
# Whose messages are the server's own, of time-outs and lost workers.
_OF_SERVER = ("timeout_failure_info", "activity_failure_info")


def _where(workflow: str) -> str:
    """The command that shows what the workflow of this id is of."""
    if (task_id := task_id_of(workflow)) is not None:
        return f"`agentos show {task_id}`"
    if (agent_id := agent_id_of(workflow)) is not None:
        return f"`agentos agents show {agent_id}`"
    return "`agentos show`"


class CodedFailures(DefaultFailureConverter, WithSerializationContext):
    """Leaves of a failure, and of each of its causes, its code and where to read more.

    Every failure that a worker tells Temporal passes here, be it one of ours or one that nobody
    expected, so no new kind of error can take its words along. Stack traces go too: they hold the
    paths of the machine.
    """

    def __init__(self) -> None:
        super().__init__()
        self._workflow = ""

    def with_context(self, context: SerializationContext) -> Self:
        # For each activity and each turn of a workflow, of which few fail: the words can wait.
        if not isinstance(context, ActivitySerializationContext | WorkflowSerializationContext):
            return self
        bound = copy(self)
        bound._workflow = context.workflow_id or ""
        return bound

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        super().to_failure(exception, payload_converter, failure)
        if isinstance(exception, AgentOSError):
            failure.application_failure_info.type = exception.code
        self._silence(failure)

    def _silence(self, failure: Failure) -> None:
        kind = failure.WhichOneof("failure_info")
        code = _UNKNOWN
        if kind == "application_failure_info":
            info = failure.application_failure_info
            if _CODE.fullmatch(info.type):
                code = info.type
            info.type = code
            _keep_codes(info.details)
        elif kind == "canceled_failure_info":
            code = "cancelled"
            _keep_codes(failure.canceled_failure_info.details)
        if kind not in _OF_SERVER:
            failure.message = f"{code}: see {_where(self._workflow)}, or the log of the worker"
        failure.stack_trace = ""
        failure.ClearField("encoded_attributes")
        if failure.HasField("cause"):
            self._silence(failure.cause)


class _Converter(DataConverter):
    """Of its parts, only that for failures has to know of which workflow they are.

    The SDK makes them all anew each time, which takes five times as long.
    """

    def with_context(self, context: SerializationContext) -> Self:
        failures = self.failure_converter
        if not isinstance(failures, WithSerializationContext):
            return super().with_context(context)
        bound = copy(self)
        object.__setattr__(bound, "failure_converter", failures.with_context(context))
        return bound


# For everything that Temporal is told, by workers and by the API.
DATA_CONVERTER: DataConverter = _Converter(
    payload_converter_class=pydantic_data_converter.payload_converter_class,
    failure_converter_class=CodedFailures,
)


def _keep_codes(details: Payloads) -> None:
    kept = list(filter(_is_code, details.payloads))
    del details.payloads[:]
    details.payloads.extend(kept)


def _is_code(payload: Payload) -> bool:
    return payload.data == json.dumps(RETRIES_USED_UP).encode()
