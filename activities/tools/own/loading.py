"""Finding the tools of the house: in folders (``AGENTOS_TOOLS_PATH``), and in installed packages
that name modules under the entry point ``agentos.tools``.

They are code that whoever runs AgentOS has put there. It runs with the rights of API and worker,
both of which import it.
"""

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FrameType, ModuleType
from typing import TypeVar

from activities.attempts.diagnosis import shown_line
from activities.tools.own.code import DIGEST_DIGITS, MODULE_PREFIX, plain_names
from workflows.errors import AgentOSError
from workflows.errors.tools import ToolModuleBroken

ENTRY_POINTS = "agentos.tools"
FOLDERS = "AGENTOS_TOOLS_PATH"
MAX_MODULES = 1_000

# The package whose code tools call while they are loaded.
_OURS = __name__.partition(".")[0]

Loaded = TypeVar("Loaded")


def modules(folders: Sequence[Path]) -> Iterator[ModuleType]:
    """Each module of the folders, in the order of their names, and then those of packages.

    Raises:
        ToolModuleBroken: one cannot be imported; with its file and line.
        ToolDefinitionInvalid: a function in it cannot be a tool.
    """
    for folder in folders:
        yield from _of_folder(folder)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda found: found.name):
        yield _of_package(point)


def _of_folder(folder: Path) -> Iterator[ModuleType]:
    files = sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))
    if len(files) > MAX_MODULES:
        reason = f"the folder has {len(files)} modules, more than {MAX_MODULES}"
        raise ToolModuleBroken(place=str(folder), reason=reason, source=FOLDERS)
    # For modules beside them. At the end, so that one called `json` hides nothing.
    path = str(folder.resolve())
    if files and path not in sys.path:
        sys.path.append(path)
    digest = hashlib.sha256(path.encode()).hexdigest()[:DIGEST_DIGITS]
    for file in files:
        name = f"{MODULE_PREFIX}_{digest}_{file.stem}"
        yield _loaded(partial(_of_file, name, file), str(file), FOLDERS)


def _of_file(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None  # It ends in `.py`.
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Where types and pickles look for it.
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)  # It may have done so itself.
        raise
    return module


def _of_package(point: EntryPoint) -> ModuleType:
    source = point.dist.name if point.dist else point.value
    package = point.module.partition(".")[0]
    place = f"{source}: {point.value}"
    found: object = _loaded(point.load, place, f"the package {source}", package)
    if isinstance(found, ModuleType):
        return found
    reason = f"the entry point {point.name} names no module"
    raise ToolModuleBroken(place=place, reason=reason, source=source)


def _loaded(load: Callable[[], Loaded], place: str, source: str, package: str = "") -> Loaded:
    try:
        return load()
    except AgentOSError:
        raise
    except (Exception, SystemExit) as failure:  # It is not our code.
        reason = plain_names(shown_line(f"{type(failure).__name__}: {failure}") or "")
        raise ToolModuleBroken(
            place=_line_of(failure, package) or place, reason=reason.rstrip("."), source=source
        ) from failure


def _line_of(failure: BaseException, package: str) -> str | None:
    """The line to mend: of a syntax error the one that it names, else the last that is run of the
    package, or of a module of a folder or what that imports; None where it is not of a file."""
    if isinstance(failure, SyntaxError) and failure.filename:
        return f"{failure.filename}:{failure.lineno}"
    lines = [
        f"{frame.f_code.co_filename}:{line}"
        for frame, line in traceback.walk_tb(failure.__traceback__)
        if (_is_of(frame, package) if package else _may_be_own(frame))
    ]
    return lines[-1] if lines else None


def _is_of(frame: FrameType, package: str) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == package


def _may_be_own(frame: FrameType) -> bool:
    """Whether it is neither of a library nor of Python, and not of AgentOS itself."""
    file = frame.f_code.co_filename
    is_odd = _is_of(frame, _OURS) or "<" in file or file.startswith(sys.base_prefix)
    return not is_odd and "site-packages" not in Path(file).parts
