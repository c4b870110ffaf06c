"""A document as YAML on a terminal."""

from pydantic import JsonValue

from api.cli.terminal import safe_text
from api.wire.yaml_writer import write_yaml


def yaml_text(document: JsonValue) -> str:
    """The document, with nothing in it that a terminal would obey."""
    text = write_yaml(document)
    return text if safe_text(text) == text else write_yaml(document, allow_unicode=False)
