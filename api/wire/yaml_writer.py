"""A document as YAML, as people would write it, and as our reader reads it."""

import re

import yaml
from pydantic import JsonValue

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


def write_yaml(document: JsonValue, *, allow_unicode: bool = True) -> str:
    """The document as YAML."""
    dumped: str = yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=allow_unicode,
        default_flow_style=False,
        width=_COLUMNS,
    )
    return dumped
