"""Inputs that are there no longer."""

from collections.abc import Mapping

from workflows.definitions.inputs import ArtifactRef, InputRef
from workflows.errors import BadInput
from workflows.pointers import Problem, pointer


class InputsGone(BadInput):
    """Nothing was written, because something that was given was deleted at that moment: {summary}.
    Upload it again, or give something else."""

    def __init__(self, gone: Mapping[str, InputRef]) -> None:
        """``gone`` are references by the name under which they were given."""
        self.problems = tuple(
            Problem(pointer(("inputs", name)), absence(ref)) for name, ref in gone.items()
        )
        super().__init__(summary="; ".join(absence(ref) for ref in gone.values()))


def absence(ref: InputRef, deleted_name: str | None = None) -> str:
    """What to say of a file that is not there; ``deleted_name`` is what one was called that the
    team has deleted. Another team's looks no different from none."""
    if deleted_name is not None:
        return f"file {deleted_name!r} was deleted ({ref})"
    kind = "artifact with bytes" if isinstance(ref, ArtifactRef) else "file"
    return f"there is no {kind} with the id of {ref}"
