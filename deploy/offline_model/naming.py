"""What the files are called that an agent's scripts make: as the task says, else so that none is
written over."""

from collections.abc import Sequence

from deploy.offline_model.kinds import File
from deploy.offline_model.usage import Usage


def output_option(
    usage: Usage, to_make: Sequence[str], file: File | None = None, *, is_one_of_many: bool = False
) -> Sequence[str]:
    """The words that name the output of a call. ``file`` is the one that it takes, None for a call
    that takes several; ``to_make`` are the names that are asked for."""
    default = usage.output_name or ""
    if not usage.output_flag:
        return ()
    name = _asked_for(default, to_make, file, is_one_of_many=is_one_of_many)
    if name is None and default and file is not None and is_one_of_many:
        name = f"{file.stem}-{default}"
    return () if name in {None, default} else (usage.output_flag, name)


def _asked_for(
    default: str, to_make: Sequence[str], file: File | None, *, is_one_of_many: bool
) -> str | None:
    """The first of the names that fit best; without its suffix where the script adds that itself.

    None where they may be meant for what another script makes.
    """
    if default in to_make:
        return None
    kind, stem = File(default).kind, File(default).stem
    fitting = [File(name) for name in to_make if kind is None or File(name).kind == kind]
    if is_one_of_many and file is not None:
        fitting = [other for other in fitting if file.stem in other.stem]
    named = [other for other in fitting if stem and stem in other.stem]
    is_alone = len({other.stem for other in fitting}) == 1
    best = next(iter(named or (fitting if is_alone else ())), None)
    if best is None:
        return None
    return best.stem if default and kind is None else best.name
