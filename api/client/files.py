"""The calls of files: those that are uploaded, and those that tasks made."""

from pathlib import Path
from uuid import UUID

from api.client import transfer
from api.client.asking import mistaken
from api.client.calls import Calls, Id, part
from api.client.transfer import Download, wanted_of
from api.wire.responses.files import Artifact, UploadedFile


class FileCalls(Calls):
    """Part of ``Client``."""

    async def upload(self, file: Path | str | bytes, *, name: str | None = None) -> UploadedFile:
        """Send a file: the one at a path, or these bytes. The same bytes under the same name are
        the same file.

        Raises ``FileUnreadable`` too.
        """
        given: object = Path(file) if isinstance(file, str) else file
        if not isinstance(given, Path | bytes):
            raise mistaken("", "the path of a file, or bytes", given)
        return await transfer.upload(self._transport, given, UploadedFile, name=name)

    async def describe_artifact(self, artifact_id: Id) -> Download:
        """What ``download`` needs to know of an artifact."""
        path = f"/artifacts/{part(artifact_id)}"
        return Download.described_by(str(artifact_id), await self._transport.head(path))

    async def download(self, wanted: Download | Artifact | Id, folder: Path | str) -> Path:
        """Fetch an artifact, or the one of this id, into a folder, whole and verified, under its
        name.

        Raises ``ArtifactNameRefused``, ``FileUnwritable`` and ``DownloadDamaged`` too.
        """
        if isinstance(wanted, str | UUID):
            wanted = await self.describe_artifact(wanted)
        return await transfer.download(self._transport, wanted_of(wanted), Path(folder))
