"""The adapter of ``ports.Items``: what the items of a step with ``foreach`` are."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue
from temporalio import activity

from activities.attempts.attempt import as_application_error
from activities.attempts.heartbeat import heartbeating
from activities.attempts.losses import check_losses, failures_before
from activities.attempts.unforeseen import foreseen
from activities.off_loop import off_loop
from activities.patience import patiently
from activities.steps.arguments import Arguments
from activities.store import items
from activities.store.database import Database
from activities.store.items import StepToOpen
from activities.store.reading.results import results_of
from workflows import policies, ports
from workflows.contracts import Failure
from workflows.definitions.foreach import FilesOf, ListOf, source_of
from workflows.definitions.pipeline import MAX_ITEMS, Step
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.inputs import ItemsUnusable
from workflows.pipeline_contracts import ItemsCall, OpenedItems
from workflows.validation_messages import kind_of


class Items(ports.Items):
    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def open_items(self, call: ItemsCall) -> OpenedItems:
        failures = failures_before(0)
        async with heartbeating(failures), as_application_error():
            try:
                with foreseen():
                    check_losses(activity.info().attempt - 1 - failures)
                    return await self._open(call)
            except AgentOSError as error:
                error.retries_used_up |= failures >= policies.ACT_RETRIES
                activity.heartbeat(failures + 1)
                await self._tell(call, error)
                raise

    @activity.defn
    async def close_items(self, call: ItemsCall) -> None:
        await items.close_items(self._database, call)

    async def _open(self, call: ItemsCall) -> OpenedItems:
        found = await patiently(lambda: items.step_to_open(self._database, call))
        wanted = None if found.is_open else await self._items(call, found)
        rows = None if wanted is None else await off_loop(items.rows_of, call, wanted)
        return await patiently(lambda: items.open_items(self._database, call, rows))

    async def _tell(self, call: ItemsCall, error: AgentOSError) -> None:
        """Write down why the step failed, where no attempt follows and there is a database."""
        is_followed = error.retryable and not error.retries_used_up
        if is_followed or isinstance(error, TemporaryFailure):
            return
        failure = Failure(code=error.code, message=error.account[:4_096], step=call.step)
        await patiently(lambda: items.fail_step(self._database, call, failure))

    async def _items(self, call: ItemsCall, found: StepToOpen) -> Sequence[Mapping[str, JsonValue]]:
        step = Step.model_validate(found.definition)
        assert step.foreach is not None
        source = source_of(step.foreach)
        if isinstance(source, (FilesOf, ListOf)):
            name = source.reference.name
            printing = {name} if isinstance(source, ListOf) else set()
            results = await patiently(
                lambda: results_of(self._database, call.task_id, {name}, with_stdout=printing)
            )
        else:
            results = {}
        arguments = Arguments(found.inputs, results)
        if isinstance(source, FilesOf):
            made = [
                file for file in arguments.files_of(source.reference) if source.takes(file.name)
            ]
            listed: Sequence[Mapping[str, JsonValue]] = [
                {"file": {"id": str(file.id), "name": file.name}} for file in made
            ]
        else:
            value = await off_loop(arguments.named, step.foreach)
            if not isinstance(value, list):
                raise ItemsUnusable(step=step.id, text=_shown(step), reason=_no_list(value))
            listed = [{"value": item} for item in value]
        if len(listed) > MAX_ITEMS:
            reason = (
                f"it has {len(listed):,} items, more than {MAX_ITEMS:,}; make fewer, larger ones"
            )
            raise ItemsUnusable(step=step.id, text=_shown(step), reason=reason)
        return listed


def _no_list(value: JsonValue) -> str:
    """What it is in place of one, and what to write."""
    if not isinstance(value, dict):
        return f"it is {kind_of(value)}, no list; have the step before print a list"
    lists = [name for name, part in value.items() if isinstance(part, list)]
    where = f"name the list in it, such as .{lists[0]}" if lists else "print a list instead"
    return f"it is an object, no list; {where}"


def _shown(step: Step) -> str:
    return step.foreach if isinstance(step.foreach, str) else "its list"
