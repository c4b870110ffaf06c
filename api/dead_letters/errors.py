"""Why nothing can be done about a dead letter."""

from api.errors import RequestRefused


class LetterConflict(RequestRefused):
    """Dead letter {id} cannot be {action}: {reason}."""

    status = 409
