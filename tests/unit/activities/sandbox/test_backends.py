"""The table of sandbox backends."""

import subprocess
import sys
from pathlib import Path

import pytest

from activities.sandbox.backends import BACKENDS, DEFAULT_BACKEND, SandboxOptions, build
from workflows.errors.scripts import SandboxUnavailable


def test_the_default_backend_is_one_of_the_table() -> None:
    assert DEFAULT_BACKEND in BACKENDS


async def test_the_cloud_is_not_used_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="E2B_API_KEY"):
        build("e2b", SandboxOptions(work_folder=tmp_path))


def test_the_names_are_known_without_the_clients_of_any_backend() -> None:
    source = (
        "import sys, deploy.settings as s; assert s.Settings.model_fields['sandbox'].default\n"
        f"print([name for name in {[*BACKENDS.values(), 'e2b']} if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "[]"
