"""The folders of a sandbox that is started before anybody knows which files its job will have.

They are mounted empty. What a job is given is linked into them and costs no copy; what it makes is
moved out as one folder.
"""

import contextlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from activities.sandbox.base import Job
from activities.sandbox.folders import hand_over, remove, take_back

# What a job is given is linked before it begins: a link takes some 10 us.
MAX_LINKS = 256


class Unfit(Exception):
    """A job cannot be given to this sandbox; it can to one that is started for it."""


@dataclass(frozen=True, slots=True)
class WarmFolders:
    """``output`` is the job's user's from the start; the others show what is in them read-only."""

    top: Path

    @property
    def inputs(self) -> Path:
        return self.top / "inputs"

    @property
    def skills(self) -> Path:
        return self.top / "skills"

    @property
    def output(self) -> Path:
        return self.top / "output"

    @classmethod
    def make(cls, parent: Path, uid: int | None) -> "WarmFolders":
        """Raises ``SandboxUnavailable``: we may not give files away."""
        made = cls(Path(tempfile.mkdtemp(dir=parent)))
        with contextlib.ExitStack() as failed:
            failed.callback(made.remove)
            made.top.chmod(0o755)
            for folder in (made.inputs, made.skills, made.output):
                folder.mkdir()
                folder.chmod(0o755)
            hand_over(made.output, uid)
            failed.pop_all()
        return made

    def fill(self, job: Job) -> None:
        """Link what the job is given.

        Raises:
            Unfit: it lies elsewhere, is too much, or has what nobody can link.
        """
        links = _Links()
        try:
            if not self._can_move_to(job.output):
                raise Unfit
            for name, path in job.inputs.items():
                links.link(path, self.inputs / name)
            for name, path in job.skills.items():
                links.copy_folder(path, self.skills / name)
        except OSError as error:
            raise Unfit from error

    def empty_into(self, output: Path) -> int:
        """Move what the job has made to ``output``, an empty folder. Returns how many folders lay
        too deep, and were removed. No process may live in it any more."""
        removed = take_back(self.output)
        self.output.rename(output)
        return removed

    def remove(self) -> None:
        remove(self.top)

    def _can_move_to(self, output: Path) -> bool:
        """Also false where somebody has removed these folders."""
        return self.output.stat().st_dev == output.stat().st_dev


class _Links:
    def __init__(self) -> None:
        self._left = MAX_LINKS

    def link(self, path: Path, to: Path) -> None:
        self._count()
        if path.is_symlink():  # The link itself would be linked, which leads nowhere inside.
            raise Unfit
        os.link(path, to)

    def copy_folder(self, folder: Path, to: Path) -> None:
        """Folders and links are made anew."""
        self._count()
        to.mkdir()
        to.chmod(stat.S_IMODE(folder.stat().st_mode))
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    self.copy_folder(Path(entry.path), to / entry.name)
                elif entry.is_symlink():
                    self._count()
                    (to / entry.name).symlink_to(os.readlink(entry.path))  # noqa: PTH115
                else:
                    self._count()
                    os.link(entry.path, to / entry.name)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Unfit
