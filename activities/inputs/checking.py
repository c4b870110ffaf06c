"""What can be known to be wrong with the inputs of a task before anything is fetched."""

from collections.abc import Mapping
from uuid import UUID

from activities.inputs.errors import absence
from activities.inputs.policy import InputPolicy
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.files import touch_files
from activities.store.reading.deleted_files import names_of_deleted
from activities.store.reading.files import StoredRef, find_files
from workflows.definitions import inputs
from workflows.definitions.inputs import ArtifactRef, FileRef, HttpsRef, S3Ref
from workflows.errors.inputs import InputRefMalformed
from workflows.pointers import Problem, pointer


async def check_inputs(
    database: Database,
    blobs: Blobs,
    policy: InputPolicy,
    team_id: UUID,
    refs: Mapping[str, str],
    *,
    option: str = "--input",
) -> list[Problem]:
    """All that is wrong, each at ``/inputs/<name>``. Costs one query when files are named.
    ``option`` is that of the command line by which they are given."""
    problems: list[Problem] = []
    stored_refs: dict[str, StoredRef] = {}
    for name, text in refs.items():
        try:
            ref = inputs.parse(text)
        except InputRefMalformed as error:
            problems.append(Problem(_at(name), str(error)))
            continue
        if isinstance(ref, FileRef | ArtifactRef):
            stored_refs[name] = ref
        elif reason := refusal(policy, blobs, ref):
            problems.append(Problem(_at(name), f"{ref} may not be fetched: {reason}"))
    found = await find_files(database, team_id, stored_refs.values())
    stale = {ref.id: ref for ref, file in found.items() if file.is_stale}
    if stale:
        kept = await touch_files(database, team_id, stale)
        found = {ref: file for ref, file in found.items() if not file.is_stale or ref.id in kept}
    missing = {name: ref for name, ref in stored_refs.items() if ref not in found}
    uploads = [ref.id for ref in missing.values() if isinstance(ref, FileRef)]
    deleted = await names_of_deleted(database, team_id, uploads)
    return [
        *problems,
        *(
            Problem(
                _at(name),
                f"{absence(ref, deleted.get(ref.id))}; give another one, on the command line with "
                f"{option} {name}=FILE",
            )
            for name, ref in missing.items()
        ),
    ]


def refusal(policy: InputPolicy, blobs: Blobs, ref: S3Ref | HttpsRef) -> str | None:
    """Why ``ref`` may not be fetched; None when it may."""
    # Even when somebody allows it by mistake: it holds the files of all teams.
    if isinstance(ref, S3Ref) and ref.bucket == blobs.bucket:
        return f"bucket {ref.bucket!r} is the one of AgentOS itself"
    return policy.refusal(ref)


def _at(name: str) -> str:
    return pointer(("inputs", name))
