"""Files that were uploaded, to be inputs of tasks."""

from pathlib import Path

from api.client import transfer
from api.client.calls import part
from api.client.transfer import Download, wanted_of
from api.client.transport import Params, Transport
from api.wire.responses.files import File, ListedFile
from api.wire.responses.pages import Page


class Uploads:
    """``client.uploads``. ``client.upload`` makes one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, params: Params | None = None) -> Page[ListedFile]:
        """A page of them, the newest first."""
        return await self._transport.call(
            "GET", "/files", Page[ListedFile], params=params, repeatable=True
        )

    async def describe(self, file_id: str) -> Download:
        """What ``download`` needs to know of a file."""
        path = f"/files/{part(file_id)}"
        return Download.described_by(file_id, await self._transport.head(path), folder="files")

    async def download(self, wanted: Download | File, folder: Path | str) -> Path:
        """Fetch a file into a folder, whole and verified. Raises as ``client.download``."""
        return await transfer.download(self._transport, wanted_of(wanted), Path(folder))

    async def delete(self, file_id: str) -> None:
        """Delete a file that nothing needs which is still to come."""
        await self._transport.delete(f"/files/{part(file_id)}")
