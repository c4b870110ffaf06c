"""Templates: everything is escaped, and a name that is not there is an error."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.web.agents.voices import voice_of
from api.web.drawing.sparkline import sparkline
from api.web.filters import FILTERS, between, lasted
from api.web.progress import has_an_end, progress
from api.web.static_files import ROOT
from api.web.text.ansi import ansi
from api.web.text.code import highlight
from api.web.text.markdown import markdown
from api.web.text.pretty import written_json
from api.web.text.visible import plain
from api.wire.responses.base import API

_environment = Environment(
    loader=PackageLoader("api.web"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(FILTERS)
_environment.filters.update(markdown=markdown, ansi=ansi, highlight=highlight, plain=plain)
_environment.filters.update(voice=voice_of)
_environment.filters.update(progress=progress, json=written_json)
_environment.tests["measured"] = has_an_end
_environment.globals.update(
    static=ROOT, api=API, between=between, lasted=lasted, sparkline=sparkline
)


def html_of(template: str, **context: Any) -> str:
    """A template filled in."""
    return _environment.get_template(template).render(context)
