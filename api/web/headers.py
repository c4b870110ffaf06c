"""What browsers are told about every page: to trust nothing but our own files."""

from collections.abc import Mapping

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def _policy(sources: Mapping[str, str]) -> str:
    return "; ".join(f"{key} {value}" for key, value in sources.items())


PAGE_HEADERS = {
    "Content-Security-Policy": _policy(_SOURCES),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": browsers would then hide the origin of our own forms from us too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "private, no-cache",
}

# The icons of Swagger UI stand in its style sheet. A picture can do nothing.
DOCS_POLICY = _policy({**_SOURCES, "img-src": "'self' data:"})
