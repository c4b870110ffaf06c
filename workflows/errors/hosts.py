"""Hosts that somebody named."""

from workflows.errors import AgentOSError


class AddressNotPublic(AgentOSError):
    """{host!r} has the address {address}, which is not public."""


class AnswerTooLarge(AgentOSError):
    """The answer is larger than {limit_bytes} bytes, which is the limit."""
