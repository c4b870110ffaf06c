"""Why a form was refused, to be shown beside its fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.errors import InvalidRequest, RequestRefused
from workflows.errors import AgentOSError

# What a form can be sent again after: it was wrong, or is in the way of something.
Refused = (RequestRefused,)


@dataclass(frozen=True, slots=True)
class Refusal:
    """``places`` maps JSON pointers to what is wrong there; ``message`` is for the whole."""

    message: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    status: int = 200

    def at(self, pointer: str) -> str:
        """What is wrong there, or within that."""
        within = f"{pointer}/"
        found = (said for place, said in self.places.items() if f"{place}/".startswith(within))
        return next(found, "")


NOTHING = Refusal()


def refusal_of(error: AgentOSError) -> Refusal:
    """What is to be shown of an error of ours."""
    status = error.status if isinstance(error, RequestRefused) else 500
    if isinstance(error, InvalidRequest):
        places = {problem.pointer: problem.message for problem in error.problems}
        return Refusal(str(error), places, status)
    return Refusal(str(error), status=status)
