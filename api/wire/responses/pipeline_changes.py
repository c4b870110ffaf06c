"""What is new of a pipeline that takes the place of that of a task."""

from pydantic import Field

from api.wire.responses.base import Answer


class StepChange(Answer):
    """A step that was ``added`` or ``removed``, that stands elsewhere among the others (``moved``),
    or whose ``fields`` are not what they were, once parameters are in their place. ``waits_for``
    are the steps before it where these are others than they were, and null where not."""

    step: str
    added: bool = False
    removed: bool = False
    moved: bool = False
    fields: list[str] = Field(default_factory=list)
    waits_for: list[str] | None = None

    @property
    def words(self) -> str:
        """What is new of it, for people."""
        told = [word for word in ("added", "removed", "moved") if getattr(self, word)]
        if self.fields:
            told.append(f"{', '.join(self.fields)} changed")
        if self.waits_for is not None:
            told.append(f"waits for {', '.join(self.waits_for) or 'nothing'}")
        return "; ".join(told)


class PipelineChanges(Answer):
    """``fields`` of the pipeline itself that are not what they were, with the names of those of its
    ``parameters``, and its ``steps`` in their order, the removed ones last. Where all of that is
    empty, it is the same pipeline."""

    fields: list[str] = Field(default_factory=list)
    parameters: list[str] = Field(default_factory=list)
    steps: list[StepChange] = Field(default_factory=list)

    @property
    def is_none(self) -> bool:
        return not (self.fields or self.steps)

    @property
    def words(self) -> str:
        """What is new of the pipeline itself, for people; empty where nothing is."""
        named = f"parameters ({', '.join(self.parameters)})" if self.parameters else "parameters"
        told = [named if name == "parameters" else name for name in self.fields]
        return f"{', '.join(told)} changed" if told else ""
