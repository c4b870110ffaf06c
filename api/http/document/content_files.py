"""The files in ``content``: words and examples, in YAML."""

from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent / "content"


def content(name: str) -> dict[str, Any]:
    """What is in a file, or in all files of a folder together."""
    place = _FOLDER / name
    paths = sorted(place.glob("*.yaml")) if place.is_dir() else [place.with_suffix(".yaml")]
    found: dict[str, Any] = {}
    for path in paths:
        read: dict[str, Any] = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        if shared := found.keys() & read.keys():
            raise ValueError(f"{path.name} has what another file has: {', '.join(sorted(shared))}")
        found |= read
    return found
