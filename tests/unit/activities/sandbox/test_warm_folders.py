"""What a job has made in a sandbox that waited for it comes to where it was wanted."""

from pathlib import Path

import pytest

from activities.sandbox.warm_folders import WarmFolders


def _make(top: Path, kind: str, text: str) -> None:
    if kind == "file":
        top.write_text(text)
    elif kind == "link":
        top.symlink_to("elsewhere")
    else:
        top.mkdir()
        if kind == "folder":
            (top / text).touch()


@pytest.mark.parametrize("there", ["file", "link", "empty folder", "folder"])
@pytest.mark.parametrize("made", ["file", "link", "empty folder", "folder"])
def test_it_comes_in_place_of_what_has_the_same_name_by_then(
    tmp_path: Path, made: str, there: str
) -> None:
    folders = WarmFolders.make(tmp_path, None)
    output, expected = tmp_path / "output", tmp_path / "expected"
    (tmp_path / "elsewhere").mkdir()
    for folder, kind, text in (
        (folders.output, made, "job"),
        (output, there, "other"),
        (expected, made, "job"),
    ):
        folder.mkdir(exist_ok=True)
        _make(folder / "m", kind, text)
    for name in ("a", "z"):
        (folders.output / name).write_text("job")
    (output / "beside").touch()
    assert folders.empty_into(output) == 0
    assert {path.name for path in output.iterdir()} == {"a", "beside", "m", "z"}
    assert _content(output / "m") == _content(expected / "m")


def _content(path: Path) -> object:
    if path.is_symlink():
        return path.readlink()
    return path.read_text() if path.is_file() else [each.name for each in path.iterdir()]
