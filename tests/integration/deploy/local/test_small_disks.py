"""The embedded stack on small and full disks: it keeps what it is given, or says why it cannot."""

import asyncio
import hashlib
import io
from pathlib import Path
from uuid import uuid4

import pytest

from activities.store.blobs import Blobs
from activities.store.options import S3Options
from deploy.local.errors import DataFolderUnusable, DiskTooSmall
from deploy.local.services import StackOptions
from deploy.local.stack import Stack
from tests.small_disks import fill, small_disk
from workflows.errors import DiskFull, TemporaryFailure

MEBIBYTE = 1024 * 1024


async def put(blobs: Blobs, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    await blobs.put(uuid4(), digest, len(content), "text/plain", io.BytesIO(content))


async def test_a_stack_with_400_mib_stores_files_says_when_it_is_full_and_goes_on_by_itself(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", 400) as disk:
        options = StackOptions(disk / "data", application=False, default_ports=False)
        async with Stack(options) as services:
            s3 = services.s3
            keys = (s3.endpoint, s3.bucket, s3.access_key, s3.secret_key)
            blobs = Blobs(S3Options(*keys, folder=disk))
            async with asyncio.timeout(60):
                await put(blobs, b"kept")
            ballast = fill(disk)
            with pytest.raises(DiskFull, match="S3 store"):
                await put(blobs, b"not kept")
            ballast.unlink()
            async with asyncio.timeout(180):  # The store looks at its disk once a minute.
                while True:
                    try:
                        await put(blobs, b"kept again")
                        break
                    except TemporaryFailure:
                        await asyncio.sleep(1)


async def test_a_stack_does_not_start_where_it_could_keep_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 100) as disk:
        stack = Stack(StackOptions(disk / "data", application=False, default_ports=False))
        with pytest.raises(DiskTooSmall, match=r"MiB free, and AgentOS needs 25\d MiB"):
            await stack.start()


async def test_a_first_start_on_a_full_disk_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        stack = Stack(StackOptions(disk / "data", application=False, default_ports=False))
        fill(disk)
        with pytest.raises((DataFolderUnusable, DiskTooSmall), match=str(disk)):
            await stack.start()
