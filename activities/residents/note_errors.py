"""What an agent that stays is told of notes that are not kept."""

from workflows.errors import AgentOSError


class NotesFull(AgentOSError):
    """The note was not kept: there are {most} notes, and no agent has more. Forget some that are
    not needed any more, or put several into one; recall shows them."""
