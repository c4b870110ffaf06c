"""A document as YAML, as people would write it."""

import re
from typing import Any

import yaml
from pydantic import JsonValue

from api.wire.unseen import safe_text

# Lines are broken where the texts have breaks, and nowhere else.
_COLUMNS = 1_000_000


# What YAML 1.2 may take for a number or the like, and PyYAML, which knows 1.1, writes as it is.
_ODD = re.compile(r"[-+.\d]|(null|true|false|~)\b", re.IGNORECASE)


class _Dumper(yaml.SafeDumper):
    """Every value stands where it is; our reader takes no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else '"' if _ODD.match(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(document: JsonValue) -> str:
    """The document, with nothing in it that is not seen, or that a terminal would obey."""
    text = _dump(document, allow_unicode=True)
    return text if safe_text(text) == text else _dump(document, allow_unicode=False)


def _dump(document: Any, *, allow_unicode: bool) -> str:
    dumped: str = yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=allow_unicode,
        default_flow_style=False,
        width=_COLUMNS,
    )
    return dumped
