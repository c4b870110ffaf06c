"""What many unit tests share."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MakeSkill = Callable[..., Path]


@pytest.fixture
def make_skill(tmp_path: Path) -> MakeSkill:
    """Write a skill's folder: ``make_skill("name", {path: content}, head=..., within=...)``."""

    def make(
        name: str,
        files: Mapping[str, str | bytes] | None = None,
        *,
        head: str | bytes | None = None,
        within: Path | None = None,
    ) -> Path:
        folder = (within or tmp_path / "skills") / name
        head = f"---\nname: {name}\ndescription: Does things.\n---\n" if head is None else head
        for path, content in {"SKILL.md": head, **(files or {})}.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return make
