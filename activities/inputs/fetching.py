"""The bytes of a task's inputs, as files on this machine.

What comes from outside becomes a file of the team the first time that a task needs it, under an id
that follows from the task and the reference. So every step of the task, wherever it runs and
however often, has the same bytes, and people can see which they were.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import unquote
from uuid import UUID, uuid5

import structlog

from activities.inputs.cache import Cache
from activities.inputs.checking import refusal
from activities.inputs.errors import absence
from activities.inputs.https import HttpsDownloads
from activities.inputs.objects import open_object
from activities.inputs.partial import Blob, Partial
from activities.inputs.policy import InputPolicy
from activities.mime_types import guess_mime_type
from activities.patience import patiently
from activities.pinned_http import Resolve, resolve_by_system
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.files import Upload, create_file_once
from activities.store.reading.deleted_files import names_of_deleted
from activities.store.reading.files import StoredRef, find_files
from workflows.definitions import inputs
from workflows.definitions.inputs import ArtifactRef, FileRef, HttpsRef, InputRef, S3Ref
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.inputs import InputDeleted, InputNotFound, InputRefused, InputTooLarge

MAX_NAME_CHARACTERS = 120

log = structlog.get_logger(__name__)


class Inputs:
    """Fetches inputs into ``folder``. Workers of one machine may share it.

    The sandbox's user must be able to pass through the folders above ``folder``.
    """

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        folder: Path,
        policy: InputPolicy,
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._policy = policy
        self._cache = Cache(folder, policy.cache_bytes)
        self._downloads = HttpsDownloads(policy, resolve)

    @asynccontextmanager
    async def leased(
        self, task_id: UUID, team_id: UUID, refs: Mapping[str, str]
    ) -> AsyncIterator[Mapping[str, Path]]:
        """The inputs as read-only files that every user may read, there until the end.

        The same ``refs`` in the same task are the same bytes, whatever happens at their source.

        Raises:
            InputRefMalformed, InputNotFound, InputDeleted, InputRefused, InputTooLarge,
                BlobCorrupt: for good.
            TemporaryFailure, InputFolderFull: another attempt may succeed.
        """
        wanted = {name: inputs.parse(text) for name, text in refs.items()}
        found = await self._found(task_id, team_id, wanted)
        async with AsyncExitStack() as leases:
            paths: dict[str, Path] = {}
            for name, ref in wanted.items():
                blob = found.get(name) or await self._import(task_id, team_id, name, ref)
                leases.callback(os.close, await self._lease(team_id, ref, blob))
                paths[name] = self._cache.path_of(blob)
            yield paths

    async def without_gone(
        self, team_id: UUID, refs: Mapping[str, str], unused: Collection[str]
    ) -> Mapping[str, str]:
        """``refs`` without those of the ``unused`` ones that were deleted: nobody misses them."""
        parsed = {name: inputs.parse(refs[name]) for name in unused}
        kept = {n: r for n, r in parsed.items() if isinstance(r, FileRef | ArtifactRef)}
        found = await self._find(team_id, *kept.values()) if kept else {}
        gone = {name for name, ref in kept.items() if ref not in found}
        return {name: ref for name, ref in refs.items() if name not in gone}

    async def digests(
        self, task_id: UUID, team_id: UUID, refs: Mapping[str, str]
    ) -> Mapping[str, str]:
        """The SHA-256 of what ``leased`` would give; only what comes from outside is fetched.

        Raises:
            As ``leased``.
        """
        wanted = {name: inputs.parse(text) for name, text in refs.items()}
        found = await self._found(task_id, team_id, wanted)
        return {
            name: (found.get(name) or await self._import(task_id, team_id, name, ref)).sha256
            for name, ref in wanted.items()
        }

    async def _found(
        self, task_id: UUID, team_id: UUID, wanted: Mapping[str, InputRef]
    ) -> Mapping[str, Blob]:
        """Those of the inputs that are files of the team already."""
        kept = {name: kept_as(task_id, ref) for name, ref in wanted.items()}
        found = await self._find(team_id, *kept.values())
        return {name: found[ref] for name, ref in kept.items() if ref in found}

    async def _find(self, team_id: UUID, *refs: StoredRef) -> Mapping[StoredRef, Blob]:
        found = await patiently(lambda: find_files(self._database, team_id, refs))
        return {ref: Blob(file.sha256, file.size) for ref, file in found.items()}

    async def _lease(self, team_id: UUID, ref: InputRef, blob: Blob) -> int:
        async with self._cache.alone(blob.sha256):
            lease = self._cache.lease(blob)
            if lease is None:
                lease = await patiently(lambda: self._restore(team_id, ref, blob))
            return lease

    async def _restore(self, team_id: UUID, ref: InputRef, blob: Blob) -> int:
        """Get a blob back from the team's store."""
        async with self._cache.partial() as partial:
            async with open_object(ref, self._blobs.stream(team_id, blob.sha256)) as chunks:
                async for chunk in chunks:
                    await partial.write(chunk)
            return await self._cache.keep(partial, blob)

    async def _import(self, task_id: UUID, team_id: UUID, name: str, ref: InputRef) -> Blob:
        """Make a file of the team from what lies outside. The first to do so for a task wins."""
        if isinstance(ref, FileRef | ArtifactRef):
            raise await self._gone(team_id, name, ref)
        if reason := refusal(self._policy, self._blobs, ref):
            raise InputRefused(ref=ref, reason=reason)
        kept = kept_as(task_id, ref)
        async with self._cache.alone(str(kept)):
            found = await self._find(team_id, kept)
            if kept in found:
                return found[kept]
            async with self._cache.partial() as partial:
                await self._receive(ref, partial)
                await self._store(task_id, team_id, ref, partial)
                blob = (await self._find(team_id, kept))[kept]
                if blob == partial.blob:
                    os.close(await self._cache.keep(partial, blob))
                return blob

    async def _gone(self, team_id: UUID, name: str, ref: StoredRef) -> AgentOSError:
        """What to say of a file that is not there."""
        ids = [ref.id] if isinstance(ref, FileRef) else []
        deleted = await patiently(lambda: names_of_deleted(self._database, team_id, ids))
        if ref.id in deleted:
            return InputDeleted(name=name, file=deleted[ref.id], ref=ref)
        return InputNotFound(ref=ref, reason=absence(ref))

    async def _receive(self, ref: S3Ref | HttpsRef, partial: Partial) -> None:
        seconds = self._policy.timeout_seconds
        try:
            async with asyncio.timeout(seconds), self._open(ref) as chunks:
                async for chunk in chunks:
                    if partial.size + len(chunk) > self._policy.max_bytes:
                        raise InputTooLarge(ref=ref, limit_bytes=self._policy.max_bytes)
                    await partial.write(chunk)
        except TimeoutError as error:
            reason = f"it did not end within {seconds:g} s"
            raise TemporaryFailure(service=f"Input {ref}", reason=reason) from error

    def _open(self, ref: S3Ref | HttpsRef) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        if isinstance(ref, S3Ref):
            return open_object(ref, self._blobs.stream_object(ref.bucket, ref.key))
        return self._downloads.open(ref)

    async def _store(
        self, task_id: UUID, team_id: UUID, ref: S3Ref | HttpsRef, partial: Partial
    ) -> None:
        blob = partial.blob
        name = _file_name(ref)
        upload = Upload(
            id=kept_as(task_id, ref).id,
            name=name,
            size=blob.size,
            mime_type=guess_mime_type(name),
            sha256=blob.sha256,
        )

        async def put() -> None:
            with partial.path.open("rb") as source:
                await self._blobs.put(team_id, blob.sha256, blob.size, upload.mime_type, source)

        await patiently(put)
        await patiently(lambda: create_file_once(self._database, team_id, upload, task_id))
        log.info("input.fetched", ref=str(ref), size_bytes=blob.size, sha256=blob.sha256)


def kept_as(task_id: UUID, ref: InputRef) -> StoredRef:
    """Which file of the team an input of a task is, or will be once it has been fetched."""
    match ref:
        case FileRef() | ArtifactRef():
            return ref
        case HttpsRef():
            return FileRef(uuid5(task_id, ref.url))  # Not str(ref), which leaves the query out.
        case S3Ref():
            return FileRef(uuid5(task_id, str(ref)))


def _file_name(ref: S3Ref | HttpsRef) -> str:
    """The last part of its path, as far as it can be the name of a file; else where it is from."""
    if isinstance(ref, S3Ref):
        path, origin = ref.key, ref.bucket
    else:
        path, origin = unquote(ref.target.partition("?")[0]), ref.host
    name = path.rstrip("/").rpartition("/")[2]
    return "".join(filter(str.isprintable, name))[:MAX_NAME_CHARACTERS] or origin
