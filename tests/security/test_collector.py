"""The collector believes nothing about what a job left behind."""

import hashlib
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.attempts.collector import MAX_DEPTH, MAX_REFUSALS, collect, open_collected
from activities.sandbox.base import Limits
from activities.sandbox.folders import take_back
from activities.sandbox.names import MAX_NAME_BYTES, objection, printable
from activities.units import MEBIBYTE
from tests.integration.sandboxes import Bench
from workflows.errors.scripts import OutputChanged, OutputTooLarge, TooManyFiles

SECRET = b"a secret of the host"

# Any hang would be a FIFO or a device that was opened.
pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    (folder / "honest").write_text("honest")
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file outside, alone in a folder of its own."""
    path = tmp_path / "host" / "secret"
    path.parent.mkdir()
    path.write_bytes(SECRET)
    return path


def refusals(folder: Path) -> dict[str, str]:
    """Why each thing is refused, when nothing but the honest file is taken."""
    collection = collect(folder)
    assert [file.name for file in collection.files] == ["honest"]
    return {refusal.name: refusal.reason for refusal in collection.refused}


# --- What is no file of the folder's own ---


def test_a_link_to_a_secret_is_refused(folder: Path, secret: Path) -> None:
    (folder / "link").symlink_to(secret)
    assert refusals(folder) == {"link": "it is a symbolic link"}


def test_a_link_to_a_folder_with_a_secret_is_refused(folder: Path, secret: Path) -> None:
    (folder / "link").symlink_to(secret.parent)
    assert refusals(folder) == {"link": "it is a symbolic link"}


@pytest.mark.parametrize("target", [".", "..", "/", "link", "missing", "honest", "/dev/zero"])
def test_a_link_to_anywhere_is_refused(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    assert refusals(folder) == {"link": "it is a symbolic link"}


def test_a_hard_link_to_a_secret_is_refused(folder: Path, secret: Path) -> None:
    (folder / "link").hardlink_to(secret)
    assert list(refusals(folder)) == ["link"]


def test_a_fifo_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    assert refusals(folder) == {"fifo": "it is a FIFO"}


def test_a_socket_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # A socket's path may have 108 bytes.
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert refusals(folder) == {"socket": "it is a socket"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
def test_devices_are_refused(folder: Path) -> None:
    os.mknod(folder / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    os.mknod(folder / "disk", stat.S_IFBLK | 0o666, os.makedev(7, 0))
    assert refusals(folder) == {"zero": "it is a character device", "disk": "it is a block device"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_output_files_are_refused_by_name(folder: Path) -> None:
    (folder / "file").touch(mode=0o000)
    (folder / "folder").mkdir(mode=0o000)
    assert set(refusals(folder)) == {"file", "folder"}


def test_a_folder_that_is_itself_a_link_is_not_read(tmp_path: Path, secret: Path) -> None:
    link = tmp_path / "output-link"
    link.symlink_to(secret.parent)
    with pytest.raises(OSError, match="output-link"):
        collect(link)


# --- Names ---

HOSTILE_NAMES = {
    "line feed": b"new\nline",
    "carriage return": b"over\rwritten",
    "tab": b"a\tb",
    "escape sequence": b"red\x1b[31m",
    "delete": b"a\x7f",
    "C1 control": "csi\u009b31m".encode(),
    "right-to-left override": "invoice\u202efdp.exe".encode(),
    "isolate": "a\u2066b".encode(),
    "zero width space": "a\u200bb".encode(),
    "byte order mark": "\ufeffa".encode(),
    "line separator": "a\u2028b".encode(),
    "paragraph separator": "a\u2029b".encode(),
    "not UTF-8": b"\xff\xfe",
    "encoded surrogate": b"\xed\xa0\x80",
    "option": b"-rf",
    "long option": b"--checkpoint-action=exec=sh",
    "option in a folder": b"folder/-rf",
    "backslash": b"..\\..\\secret",
    "too long": b"/".join([b"x" * 200] * 3),
}


@pytest.mark.parametrize("kind", HOSTILE_NAMES)
def test_a_hostile_name_is_refused(folder: Path, kind: str) -> None:
    path = folder / os.fsdecode(HOSTILE_NAMES[kind])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    ((name, reason),) = refusals(folder).items()
    assert name.isprintable()
    assert reason


GOOD_NAMES = [
    "report.csv",
    "żółw.txt",
    "日本語.md",
    "two words",
    "👩\u200d💻.png",
    "क्\u200dष",
    ".hidden",
    "a-b",
    "a..b",
    "...",
    "~",
    "#1",
    "50%",
    "?q=1&r",
    "'quoted'",
    "x" * 255,
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_an_ordinary_name_is_kept_as_it_is(folder: Path, name: str) -> None:
    (folder / "honest").unlink()
    (folder / name).write_text("x")
    collection = collect(folder)
    assert [file.name for file in collection.files] == [name]
    assert collection.refused == ()


@given(st.text(st.characters(codec=None)))
def test_any_name_can_be_judged_and_shown(name: str) -> None:
    assert printable(name).isprintable()
    assert len(printable(name)) < 11 * MAX_NAME_BYTES
    if objection(name) is None:
        name.encode()
        assert "\n" not in name


def test_refusals_are_counted_when_there_are_many(folder: Path) -> None:
    for number in range(MAX_REFUSALS + 20):
        (folder / f"link-{number:03}").symlink_to("honest")
    refused = collect(folder).refused
    assert len(refused) == MAX_REFUSALS + 1
    assert refused[-1].reason == "and 20 more were refused"


# --- Sizes ---


def test_folders_nested_too_deep_are_refused(folder: Path) -> None:
    deep = folder.joinpath(*["d"] * MAX_DEPTH)
    deep.mkdir(parents=True)
    (deep / "kept").write_text("x")
    (deep / "lost").mkdir()
    (deep / "lost" / "file").write_text("x")
    collection = collect(folder)
    assert [file.name.rpartition("/")[2] for file in collection.files] == ["kept", "honest"]
    assert [refusal.name.rpartition("/")[2] for refusal in collection.refused] == ["lost"]


def test_folders_nested_beyond_every_bound_do_not_break_the_collector(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    assert len(collect(tmp_path).refused) == 1
    take_back(tmp_path)  # Or pytest could not remove it.


def test_an_output_folder_with_too_many_files_is_an_error(folder: Path) -> None:
    for number in range(10):
        (folder / str(number)).touch()
    collect(folder, Limits(files=11))
    with pytest.raises(TooManyFiles, match="10"):
        collect(folder, Limits(files=10))


def test_empty_folders_count_as_well(folder: Path) -> None:
    for number in range(10):
        (folder / str(number)).mkdir()
    with pytest.raises(TooManyFiles):
        collect(folder, Limits(files=10))


def test_an_output_folder_with_too_many_bytes_is_an_error(folder: Path) -> None:
    (folder / "a").write_bytes(bytes(600))
    (folder / "b").write_bytes(bytes(500))
    with pytest.raises(OutputTooLarge, match="1024"):
        collect(folder, Limits(disk_bytes=1024))


def test_sparse_files_count_with_the_size_that_they_pretend(folder: Path) -> None:
    for name in ("a", "b", "c"):
        with (folder / name).open("wb") as file:
            file.truncate(900 * MEBIBYTE)
    with pytest.raises(OutputTooLarge):
        collect(folder, Limits(disk_bytes=2048 * MEBIBYTE))


def test_a_file_over_the_limit_for_one_is_refused_unread(folder: Path) -> None:
    with (folder / "big").open("wb") as file:
        file.truncate(1 << 40)
    limits = Limits(file_bytes=MEBIBYTE, disk_bytes=1 << 50)
    (refusal,) = collect(folder, limits).refused
    assert refusal.name == "big"
    assert "1048576" in refusal.reason


# --- What is taken ---


def test_files_come_with_their_size_and_hash_sorted_by_name(folder: Path) -> None:
    contents = {"b/c": b"", "a": os.urandom(3 * MEBIBYTE + 1), "b/a": b"x"}
    (folder / "b").mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    files = collect(folder).files
    assert [file.name for file in files] == ["a", "b/a", "b/c", "honest"]
    for file in files[:3]:
        assert file.size == len(contents[file.name])
        assert file.sha256 == hashlib.sha256(contents[file.name]).hexdigest()
        with open_collected(folder, file) as source:
            assert source.read() == contents[file.name]


def test_only_new_and_changed_files_are_taken_over_a_baseline(folder: Path) -> None:
    (folder / "kept").write_text("same")
    (folder / "changed").write_text("old")
    baseline = {file.name: file.sha256 for file in collect(folder).files}
    (folder / "kept").write_text("same")
    # The same size and the same time: only the content tells.
    before = (folder / "changed").stat()
    (folder / "changed").write_text("new")
    os.utime(folder / "changed", ns=(before.st_atime_ns, before.st_mtime_ns))
    (folder / "added").write_text("x")
    files = collect(folder, baseline=baseline).files
    assert [file.name for file in files] == ["added", "changed"]


# --- Opening again ---


def _rewrite(path: Path, secret: Path) -> None:
    path.write_text("chosen")


def _replace_by_a_link(path: Path, secret: Path) -> None:
    path.unlink()
    path.symlink_to(secret)


def _replace_by_a_hard_link(path: Path, secret: Path) -> None:
    path.unlink()
    path.hardlink_to(secret)


def _replace_by_a_fifo(path: Path, secret: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _replace_the_folder_by_a_link(path: Path, secret: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to("moved")


def _remove(path: Path, secret: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    "change",
    [
        _rewrite,
        _replace_by_a_link,
        _replace_by_a_hard_link,
        _replace_by_a_fifo,
        _replace_the_folder_by_a_link,
        _remove,
    ],
)
def test_a_file_that_changed_is_not_opened_again(
    folder: Path, secret: Path, change: Callable[[Path, Path], None]
) -> None:
    path = folder / "d" / "file"
    path.parent.mkdir()
    path.write_text("honest")
    file = collect(folder).files[0]
    change(path, secret)
    with pytest.raises(OutputChanged, match="d/file"):
        open_collected(folder, file)


# --- Together with the sandbox ---


async def test_hostile_output_files_are_refused(bench: Bench) -> None:
    secret = bench.file("secret", "secret")
    script = f"""
echo honest > honest
ln -s {secret} link; ln -s / root; ln honest twin; mkfifo fifo; echo x > -rf
ln -s /proc/self/environ env; mkdir d; chmod 000 d; : > 'a
b'
"""
    assert (await bench.shell(script)).ok
    collection = collect(bench.output)
    assert collection.files == ()
    assert {refusal.name for refusal in collection.refused} == {
        *("honest", "twin", "link", "root", "fifo", "-rf", "env", "a\\nb")
    }
