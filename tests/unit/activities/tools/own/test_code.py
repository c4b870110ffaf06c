"""The code that a tool of the house is made of."""

import json.decoder
from pathlib import Path

import pytest

from activities.tools.own.code import MODULE_PREFIX, OwnCode


def folder_of(tmp_path: Path) -> OwnCode:
    tools = tmp_path / "tools"
    (tools / "beside").mkdir(parents=True)
    for name in ("crm.py", "_login.py", "beside/__init__.py", "beside/rows.py"):
        (tools / name).write_text(f"NAME = {name!r}\n")
    (tools / "data").mkdir()
    (tools / "data" / "script.py").write_text("")
    (tools / "notes.txt").write_text("")
    return OwnCode.of(f"{MODULE_PREFIX}_ab12cd34_crm", str(tools / "crm.py"))


@pytest.mark.parametrize("name", ["crm.py", "_login.py", "beside/rows.py", "new.py"])
def test_a_changed_module_of_the_folder_changes_the_digest(tmp_path: Path, name: str) -> None:
    code = folder_of(tmp_path)
    before = code.digest
    assert code.digest == before
    (tmp_path / "tools" / name).write_text("NAME = 'another'\n")
    assert code.digest != before


@pytest.mark.parametrize("name", ["data/script.py", "notes.txt"])
def test_what_is_no_module_of_the_folder_does_not(tmp_path: Path, name: str) -> None:
    code = folder_of(tmp_path)
    before = code.digest
    (tmp_path / "tools" / name).write_text("changed")
    assert code.digest == before


def test_a_folder_that_leads_to_itself_has_an_end(tmp_path: Path) -> None:
    code = folder_of(tmp_path)
    (tmp_path / "tools" / "beside" / "again").symlink_to(tmp_path / "tools" / "beside")
    assert code.digest


def test_a_module_of_a_package_has_all_of_the_package() -> None:
    code = OwnCode.of("json.decoder", json.decoder.__file__)
    assert code.root == Path(json.__file__).parent
    assert code.has(json.decoder.__file__)
    assert not code.has(pytest.__file__)


def test_a_module_by_itself_has_nothing_else_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "alone.py").write_text("")
    code = OwnCode.of("alone", str(tmp_path / "alone.py"))
    assert code.has(str(tmp_path / "alone.py"))
    assert not code.has(str(tmp_path / "other.py"))
    before = code.digest
    (tmp_path / "other.py").write_text("")
    assert code.digest == before
