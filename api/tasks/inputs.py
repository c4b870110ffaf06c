"""What a task was given: references, and the files behind them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from activities.store.reading.deleted_files import names_of_deleted
from activities.store.reading.files import NamedFile, StoredRef, describe_files
from api.services import Services
from api.wire.responses.base import API
from api.wire.responses.files import File, TaskInput
from workflows.definitions.inputs import ArtifactRef, FileRef, parse
from workflows.errors.inputs import InputRefMalformed


async def described(
    services: Services, team_id: UUID, inputs: Mapping[str, str]
) -> Sequence[TaskInput]:
    """Each input, with the file that it is if that is kept here."""
    refs = {name: _stored(ref) for name, ref in inputs.items()}
    known = await describe_files(services.database, team_id, filter(None, refs.values()))
    gone = [ref.id for ref in refs.values() if isinstance(ref, FileRef) and ref not in known]
    deleted = await names_of_deleted(services.database, team_id, gone)
    base = f"{services.options.public_url}{API}"
    return [
        _input(name, inputs[name], known.get(ref) if ref else None, base).model_copy(
            update={"deleted_name": deleted.get(ref.id) if ref else None}
        )
        for name, ref in refs.items()
    ]


def _stored(ref: str) -> StoredRef | None:
    try:
        parsed = parse(ref)
    except InputRefMalformed:
        return None
    return parsed if isinstance(parsed, FileRef | ArtifactRef) else None


def _input(name: str, ref: str, found: NamedFile | None, base: str) -> TaskInput:
    if found is None:
        return TaskInput(name=name, ref=ref, file=None)
    folder = "files" if found.task_id is None else "artifacts"
    file = File(
        id=found.id,
        name=found.name,
        size=found.size,
        mime_type=found.mime_type,
        sha256=found.sha256,
        url=f"{base}/{folder}/{found.id}",
    )
    return TaskInput(name=name, ref=ref, file=file, task_id=found.task_id)
