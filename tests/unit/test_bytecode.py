"""Bytecode is made at installation: where none may be written later, every start would compile."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.folders import PROJECT

PACKAGES = ("workflows", "activities", "api", "worker", "deploy")
INSTALLED = Path(sys.prefix) / ".installed"  # Touched by `make` when it has installed.
CHECKED_HASH = 0b11

pytestmark = pytest.mark.skipif(not INSTALLED.exists(), reason="not installed by `make`")


def bytecode_of(source: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(source)))


def test_modules_of_libraries_are_compiled_whether_or_not_they_were_ever_loaded() -> None:
    spec = importlib.util.find_spec("openai")
    assert spec is not None
    assert spec.origin is not None
    modules = list(Path(spec.origin).parent.rglob("*.py"))
    assert len(modules) > 100
    assert [path for path in modules if not bytecode_of(path).exists()] == []


def test_our_own_modules_are_compiled_by_the_content_of_their_source() -> None:
    """By its time and size, as is usual, an edit within the second could go unseen."""
    sources = [path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")]
    old = [path for path in sources if path.stat().st_mtime < INSTALLED.stat().st_mtime]
    if not old:
        pytest.skip("every source was written after the installation")
    flags = {int.from_bytes(bytecode_of(path).read_bytes()[4:8], "little") for path in old}
    assert flags == {CHECKED_HASH}


def test_an_edit_that_keeps_time_and_size_is_seen(tmp_path: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text()
    [line] = [line for line in makefile.splitlines() if "-m compileall" in line]
    options = line.partition("-m compileall")[2].replace("$(PACKAGES)", str(tmp_path)).split()
    source = tmp_path / "edited.py"
    source.write_text("print('before')\n")
    subprocess.run([sys.executable, "-m", "compileall", *options], check=True)
    stat = source.stat()
    source.write_text("print('after!')\n")
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert source.stat().st_size == stat.st_size
    done = subprocess.run(
        [sys.executable, "-c", "import edited"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "after!\n"
