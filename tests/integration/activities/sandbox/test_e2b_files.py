"""Files to and from E2B: complete, in little memory, and believing nothing that comes back."""

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.sandbox.base import OUTPUT_FOLDER, Limit, Limits
from activities.sandbox.e2b import E2B
from activities.sandbox.e2b_command import OverLimit
from activities.sandbox.e2b_output import parse_listing
from activities.units import MEBIBYTE
from tests.doubles.e2b_server import E2BServer
from tests.integration.e2b_bench import Printed, backend, fake_find, lie, only_machine, shell
from workflows.errors import BadInput, TemporaryFailure
from workflows.errors.scripts import FileNameRefused


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[E2BServer]:
    async with E2BServer(tmp_path / "e2b") as server:
        yield server


@pytest.fixture
async def sandbox(server: E2BServer) -> AsyncIterator[E2B]:
    async with backend(server) as sandbox:
        yield sandbox


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


async def test_output_comes_back_as_the_job_left_it(sandbox: E2B, output: Path) -> None:
    (output / "kept").write_text("kept")
    (output / "changed").write_text("old")
    (output / "removed").write_text("old")
    (output / "folder").mkdir()
    (output / "folder/becomes a file").write_text("old")
    os.utime(output / "kept", (1, 1))
    script = """
    cat changed folder/*; rm -r removed folder; echo new > changed; echo new > folder
    mkdir -p 'a/b c'; printf '' > 'a/b c/é\n-x'
    """
    printed = Printed()
    await sandbox.run(shell(script, output), printed)
    assert printed.stdout == b"oldold"
    assert contents(output) == {
        "kept": "kept",
        "changed": "new\n",
        "folder": "new\n",
        "a/b c/é\n-x": "",
    }
    assert (output / "kept").stat().st_mtime == 1, "an unchanged file was fetched all the same"


async def test_links_and_special_files_stay_in_the_sandbox(sandbox: E2B, output: Path) -> None:
    script = "ln -s /etc/passwd link; ln -s / root; mkfifo pipe; echo hello > file"
    assert (await sandbox.run(shell(script, output), Printed())).ok
    assert names(output) == ["file"]


async def test_a_link_in_the_output_folder_is_not_followed_on_the_way_up(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (output / "link").symlink_to(tmp_path / "secret")
    (output / "folder").symlink_to(tmp_path)
    printed = Printed()
    await sandbox.run(shell("cat link folder/secret; ls", output), printed)
    assert printed.stdout == b""


async def test_a_link_in_the_output_folder_is_not_written_through(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (output / "link").symlink_to(victim)
    await sandbox.run(shell("echo evil > link", output), Printed())
    assert victim.read_text() == "untouched"
    assert (output / "link").read_text() == "evil\n"


async def test_a_linked_folder_is_not_written_into(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (output / "folder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileNameRefused, match="folder/evil"):
        await sandbox.run(shell("mkdir folder; echo evil > folder/evil", output), Printed())
    assert names(tmp_path / "elsewhere") == []


async def test_a_name_that_is_not_utf_8_stays_in_the_sandbox(sandbox: E2B, output: Path) -> None:
    script = "echo bad > $(printf 'b\\377d'); echo good > good"
    assert (await sandbox.run(shell(script, output), Printed())).ok
    assert names(output) == ["good"]


async def test_a_name_that_is_not_utf_8_is_refused_on_the_way_up(
    sandbox: E2B, output: Path
) -> None:
    (output / os.fsdecode(b"b\xffd")).touch()
    with pytest.raises(BadInput, match="not UTF-8"):
        await sandbox.run(shell("true", output), Printed())


@pytest.mark.parametrize(
    "path", ["../../evil", "a/../../evil", "..", "/etc/evil", "a//evil", "./evil", "."]
)
async def test_a_name_that_the_sandbox_makes_up_is_refused(
    path: str, server: E2BServer, sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    def make_up(_: str) -> None:
        if path.endswith("evil"):
            planted = only_machine(server).outside(f"{OUTPUT_FOLDER}/{path}")
            planted.parent.mkdir(parents=True, exist_ok=True)
            planted.write_text("evil")
        lie(server, f"f\\0004\\0001\\000{path}\\000")

    with pytest.raises(FileNameRefused, match="leads out"):
        await sandbox.run(shell("mkdir a; echo ready", output), Printed(make_up))
    assert not [path for path in folder_and_parent(output) if path.name == "evil"]


async def test_a_sandbox_that_never_lists_its_files_is_given_up(
    server: E2BServer, output: Path
) -> None:
    hanging = E2B(server.api_key, api_url=server.url, sandbox_url=server.url, request_seconds=1)
    job = shell("echo ready", output)
    with pytest.raises(TemporaryFailure, match="took over 1 s"):
        await hanging.run(job, Printed(lambda _: fake_find(server, "exec sleep 60")))
    assert server.machines == {}


async def test_a_list_of_files_without_end_is_cut_off(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    endless = "exec yes 'a name and a half'"
    job = shell("echo ready", output)
    ended = await sandbox.run(job, Printed(lambda _: fake_find(server, endless)))
    assert ended.limit is Limit.FILES


@given(text=st.text(st.sampled_from("fdl/.\0a1\ufffd"), max_size=60) | st.text(max_size=60))
def test_no_list_of_files_leads_out_of_the_folder(text: str) -> None:
    with contextlib.suppress(FileNameRefused, OverLimit):
        for path, file in parse_listing(text, Limits(files=5, disk_bytes=1000)).items():
            assert not path.is_absolute()
            assert path.parts
            assert ".." not in path.parts
            assert 0 <= file.size_bytes <= 1000


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(file_bytes=MEBIBYTE), Limit.FILE_SIZE),
        (Limits(disk_bytes=MEBIBYTE), Limit.DISK),
    ],
)
async def test_sizes_that_lie_do_not_get_past_a_limit(
    limits: Limits, limit: Limit, server: E2BServer, sandbox: E2B, output: Path
) -> None:
    def grow(_: str) -> None:
        only_machine(server).outside(f"{OUTPUT_FOLDER}/file").write_bytes(bytes(2 * MEBIBYTE))
        lie(server, "f\\0001\\0001\\000file\\000")

    ended = await sandbox.run(shell("echo ready", output, limits=limits), Printed(grow))
    assert ended.limit is limit
    assert names(output) == []


@pytest.mark.parametrize(
    ("script", "limits", "limit"),
    [
        ("touch a b c", Limits(files=2), Limit.FILES),
        ("mkdir a b c", Limits(files=2), Limit.FILES),
        ("head -c 3000 /dev/zero > a", Limits(file_bytes=2048), Limit.FILE_SIZE),
        (
            "for f in a b c; do head -c 999 /dev/zero > $f; done",
            Limits(disk_bytes=2000),
            Limit.DISK,
        ),
    ],
)
async def test_output_over_a_limit_is_not_fetched(
    script: str, limits: Limits, limit: Limit, sandbox: E2B, output: Path
) -> None:
    ended = await sandbox.run(shell(script, output, limits=limits), Printed())
    assert ended.limit is limit
    assert names(output) == []


async def test_a_large_file_goes_there_and_back_in_little_memory(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    digest = hashlib.sha256()
    with large.open("wb") as file:
        for _ in range(50):
            piece = os.urandom(MEBIBYTE)
            digest.update(piece)
            file.write(piece)
    job = shell('cp "$INPUT_LARGE" copy', output, inputs={"large": large})
    await sandbox.run(shell("true", output), Printed())  # The SDK is warm now.
    before = begin_memory_peak()
    assert (await sandbox.run(job, Printed())).ok
    assert peak_memory_bytes() - before < 25 * MEBIBYTE
    with (output / "copy").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == digest.digest()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def folder_and_parent(folder: Path) -> list[Path]:
    return [*folder.rglob("*"), *folder.parent.iterdir(), *folder.parent.parent.iterdir()]


def begin_memory_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory_bytes()


def peak_memory_bytes() -> int:
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    )
    return int(line.split()[1]) * 1024
