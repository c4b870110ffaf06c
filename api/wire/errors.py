"""Errors in a document, whether the API or its client reads it."""

from workflows.errors import BadInput


class BodyMalformed(BadInput):
    """The body is not valid {form}: {reason} (line {line}, column {column})."""


class TooManyValues(BadInput):
    """The body holds more than {most} values, keys included. Keep data in files, and give them to
    the task as inputs."""
