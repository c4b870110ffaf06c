"""The secrets of a data folder, as far as a backup takes them: what it holds can be restored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.backup.errors import TooManySecrets
from deploy.backup.manifest import MAX_SECRET_BYTES, MAX_SECRETS, is_secret

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Secrets:
    """By name; ``left_out`` are what else is in the folder."""

    content: Mapping[str, bytes]
    left_out: Sequence[str]

    @property
    def warning(self) -> str:
        """Names what is left out; empty where that is nothing."""
        if not self.left_out:
            return ""
        named, more = self.left_out[:_NAMED], len(self.left_out) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        return f"Not in the backup, being no secrets of AgentOS: {', '.join(named)}{rest}"


def read_secrets(folder: Path) -> Secrets:
    """What people have put beside them is left out: copies of a key, notes.

    Raises:
        TooManySecrets: which of them are ours cannot be told.
    """
    content: dict[str, bytes] = {}
    left_out: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):  # It is being written.
            continue
        found = _content(path) if is_secret(path.name) else None
        if found is None:
            left_out.append(path.name)
        else:
            content[path.name] = found
    if len(content) > MAX_SECRETS:
        raise TooManySecrets(folder=folder, count=len(content), limit=MAX_SECRETS)
    return Secrets(content, left_out)


def _content(path: Path) -> bytes | None:
    """None for what is too large, or no file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        content = file.read(MAX_SECRET_BYTES + 1)
    return content if len(content) <= MAX_SECRET_BYTES else None
