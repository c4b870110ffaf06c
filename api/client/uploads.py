"""Files that were uploaded, to be inputs of tasks."""

from pathlib import Path
from uuid import UUID

from api.client import transfer
from api.client.calls import Id, part
from api.client.queries import Filter, queried
from api.client.transfer import Download, wanted_of
from api.client.transport import Params, Transport
from api.wire.responses.files import File, ListedFile
from api.wire.responses.pages import Page


class Uploads:
    """``client.uploads``. ``client.upload`` makes one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, /, params: Params | None = None, **filters: Filter) -> Page[ListedFile]:
        """A page of them, the newest first."""
        return await self._transport.call(
            "GET", "/files", Page[ListedFile], params=queried(params, filters), repeatable=True
        )

    async def describe(self, file_id: Id) -> Download:
        """What ``download`` needs to know of a file."""
        path = f"/files/{part(file_id)}"
        return Download.described_by(str(file_id), await self._transport.head(path), folder="files")

    async def download(self, wanted: Download | File | Id, folder: Path | str) -> Path:
        """Fetch a file, or the one of this id, into a folder, whole and verified. Raises as
        ``client.download``."""
        if isinstance(wanted, str | UUID):
            wanted = await self.describe(wanted)
        return await transfer.download(self._transport, wanted_of(wanted), Path(folder))

    async def delete(self, file_id: Id) -> None:
        """Delete a file that nothing needs which is still to come."""
        await self._transport.delete(f"/files/{part(file_id)}")
