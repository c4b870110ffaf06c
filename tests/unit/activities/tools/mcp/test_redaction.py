"""Secrets that a server says, in one form or another."""

import base64
import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, SecretStr

from activities.tools.mcp.redaction import Redactor

SECRET = "pä/ss \"w&rd+1'<~*!(\\\\y\U0001f600)"

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON with all characters": lambda secret: json.dumps(secret, ensure_ascii=False),
    "JSON with capital digits": lambda secret: json.dumps(secret).replace("00e4", "00E4"),
    "JSON with escaped slashes": lambda secret: json.dumps(secret).replace("/", "\\/"),
    "JSON in JSON": lambda secret: json.dumps(json.dumps({"key": secret})),
    "percent encoding": quote,
    "percent encoding of all": lambda secret: quote(secret, safe=""),
    "percent encoding in small letters": lambda secret: _small(quote(secret)),
    "a form": quote_plus,
    "percent encoding twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "percent encoding of browsers": lambda secret: quote(secret, safe="!'()*~"),
    "a form of Java": lambda secret: quote_plus(secret, safe="*").replace("~", "%7E"),
    "HTML": html.escape,
    "HTML of a text": lambda secret: html.escape(secret, quote=False),
    "HTML with numbers": lambda secret: (
        html.escape(secret).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    ),
    "HTML twice": lambda secret: html.escape(html.escape(secret)),
    "JSON that is safe in HTML": lambda secret: _safe_in_html(json.dumps(secret)),
    "JSON in HTML": lambda secret: html.escape(json.dumps(secret)),
    "JSON in a URL": lambda secret: quote(json.dumps(secret), safe=""),
    "JSON in JSON in JSON": lambda secret: json.dumps(json.dumps(json.dumps(secret))),
    "hexadecimal digits": lambda secret: secret.encode().hex(),
    "capital hexadecimal digits": lambda secret: secret.encode().hex().upper(),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "Basic authentication": lambda secret: base64.b64encode(f"user:{secret}".encode()).decode(),
    "base64 in a URL": lambda secret: quote(base64.b64encode(f"a:{secret}".encode()), safe=""),
    "base64, two bytes on": lambda secret: base64.b64encode(f"u:{secret}\n".encode()).decode(),
    "base64, three bytes on": lambda secret: base64.b64encode(f"us:{secret}xy".encode()).decode(),
}


def _small(quoted: str) -> str:
    return re.sub("%..", lambda digits: digits[0].lower(), quoted)


def _safe_in_html(text: str) -> str:
    for character in "<>&'+":
        text = text.replace(character, f"\\u{ord(character):04X}")
    return text


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_named_in_whatever_form_it_is_said(form: str) -> None:
    said = FORMS[form](SECRET)
    text = Redactor({"WORD": SecretStr(SECRET)})(f"before {said} after")
    assert "secret:WORD" in text
    assert text.startswith("before ")
    assert text.endswith(" after")
    assert said not in text


@given(
    st.text(st.characters(codec="utf-8"), min_size=8, max_size=40),
    st.binary(max_size=9),
    st.binary(max_size=9),
)
def test_base64_gives_a_secret_away_wherever_it_begins(
    secret: str, before: bytes, after: bytes
) -> None:
    said = base64.b64encode(before + secret.encode() + after).decode()
    text = Redactor({"WORD": SecretStr(secret)})(said)
    kept = text.replace("secret:WORD", "")
    # At its ends a few bits of the secret share a character with what is beside it.
    assert len(kept) <= len(said) - len(secret.encode()) * 8 // 6 + 2


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A secret, and the same with each of its characters written in one way or another."""
    secret = draw(st.text(st.characters(codec="utf-8"), min_size=8, max_size=20))
    ways: tuple[Callable[[str], str], ...] = (
        str,
        lambda character: json.dumps(character)[1:-1],
        lambda character: quote(character, safe=""),
        lambda character: _small(quote(character, safe="")),
        html.escape,
        lambda character: "".join(
            each if each.isascii() and each.isalnum() else f"&#{ord(each)};" for each in character
        ),
    )
    said = "".join(draw(st.sampled_from(ways))(character) for character in secret)
    return secret, said


@given(written())
def test_a_secret_is_found_whichever_of_its_characters_are_written_otherwise(
    secret_and_said: tuple[str, str],
) -> None:
    secret, said = secret_and_said
    assert "secret:WORD" in Redactor({"WORD": SecretStr(secret)})(f"[{said}]")


@pytest.mark.parametrize("piece", ["\\", "&amp;", "%25", "%5c", "&#0", '"', "p", "pä/ss ", '\\"'])
def test_megabytes_that_almost_are_a_secret_take_no_time_to_speak_of(piece: str) -> None:
    secrets = {"WORD": SecretStr(SECRET), "SIGNS": SecretStr("\"\"''%%&&\\\\\\")}
    redacted = Redactor(secrets)
    text = piece * (2_000_000 // len(piece)) + "rd"
    began = time.process_time()
    redacted(text)
    assert time.process_time() - began < 5


def test_a_secret_that_is_a_part_of_another_leaves_nothing_of_it() -> None:
    redacted = Redactor({"SHORT": SecretStr("abcdef"), "LONG": SecretStr("abcdefghij")})
    assert redacted("abcdefghij, abcdef") == "secret:LONG, secret:SHORT"


def test_a_short_secret_is_left_as_it_is_in_many_a_word() -> None:
    assert Redactor({"WORD": SecretStr("short")})("a short word") == "a short word"


def test_everything_in_an_object_is_redacted() -> None:
    document: dict[str, JsonValue] = {f"a {SECRET}": [{"b": SECRET, "c": 1}, None, True]}
    assert Redactor({"WORD": SecretStr(SECRET)}).document(document) == {
        "a secret:WORD": [{"b": "secret:WORD", "c": 1}, None, True]
    }


def test_megabytes_take_no_time_to_speak_of() -> None:
    redacted = Redactor({f"S{number}": SecretStr(f"{number:064}") for number in range(20)})
    text = "0123456789 abcdef " * 200_000
    began = time.process_time()
    assert redacted(text) == text
    assert time.process_time() - began < 5
