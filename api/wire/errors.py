"""What can be wrong with a document, wherever it is read: here by the API, there by its client."""

from workflows.errors import BadInput


class BodyMalformed(BadInput):
    """The body is not valid {form}: {reason} (line {line}, column {column})."""
