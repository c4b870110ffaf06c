"""The base of every response. All responses are defined in this package."""

from pydantic import BaseModel, ConfigDict

API = "/api/v1"


class Answer(BaseModel):
    """A client keeps the fields that a newer server adds, and prints them in JSON.

    A command needs a few of all answers, so each is made ready when it is first used.
    """

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)
