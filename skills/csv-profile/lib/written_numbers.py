"""Numbers as people write them: ``1.234,50 €``, ``(1 234,50)``, ``12 %``, ``5-``, ``1'000``.

Nothing here goes through a float, so every digit stays. Skills that look at values carry this same
module, because a skill's folder stands alone.
"""

import re
from dataclasses import dataclass
from typing import Literal

Decimal = Literal["comma", "point"]

# What a program writes, and what this module turns the rest into.
PLAIN = re.compile(r"[+-]?((0|[1-9][0-9]{0,17})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
SPACES = " \u00a0\u2007\u2009\u202f"
CURRENCY = (
    r"[$€£¥₹₽₩₪₺₴₫฿₱₦₸₾₲₡₵]|(?:R|US|A|AU|C|CA|NZ|HK|S|NT|MX)\$|zł|Kč|Ft|kr\.?|Fr\.?|Rs\.?|Rp\.?|RM"
    r"|руб\.?|грн\.?|лв\.?|lei|Euro|USD|EUR|GBP|CHF|JPY|CNY|RUB|PLN|SEK|NOK|DKK|CZK|HUF|RON|BGN"
    r"|TRY|INR|BRL|MXN|ZAR|AUD|CAD|NZD|SGD|HKD|KRW|ILS|UAH|ISK|IDR|MYR|PHP|THB|TWD|VND|SAR|AED"
    r"|EGP|NGN|KES|ARS|CLP|COP|PEN|RSD|KZT|PKR"
)
PER_MILLE = "‰"
WRITTEN = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+\-−–])?\s*(?P<before>{CURRENCY})?\s*(?P<inner>[+\-−–])?\s*"
    rf"(?P<body>[0-9.,][0-9.,'’{SPACES}]*?(?:[eE][+-]?[0-9]{{1,3}})?)\s*"
    rf"(?P<percent>[%{PER_MILLE}])?\s*(?P<after>{CURRENCY})?\s*(?P<last>[\-−–])?\s*(?P<close>\))?"
)
BRACKETED = re.compile(rf"^({CURRENCY})\s*\(")  # $(5.00) is ($5.00)
GROUPS = rf"[0-9]{{1,3}}(?:[{SPACES}]?[ '’{SPACES[1:]}][0-9]{{3}})+"
GROUPED = re.compile(rf"({GROUPS})((?:[.,][0-9]*)?(?:[eE][+-]?[0-9]+)?)")
PHONE_DIGITS = 9  # +49 301 234 567 is no quantity
EXPONENT = r"(?:[eE][+-]?[0-9]+)?"


def style(group: str, decimal: str) -> re.Pattern[str]:
    """Whole numbers in groups of three, or of two as in India, and decimals."""
    groups = (
        rf"[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+"
        rf"|[1-9][0-9]?(?:{group}[0-9]{{2}})+{group}[0-9]{{3}}"
    )
    return re.compile(rf"(?:{groups}|[0-9]+|(?={decimal}[0-9]))(?:{decimal}[0-9]*)?{EXPONENT}")


STYLES: dict[Decimal, re.Pattern[str]] = {"point": style(",", r"\."), "comma": style(r"\.", ",")}
# One separator and three digits: thousands for some, decimals for others.
EITHER = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")


@dataclass(frozen=True)
class WrittenNumber:
    """``body`` has digits and separators only; ``currency`` is empty where none is written.

    Per mille is a percentage with its sign for a currency.
    """

    body: str
    is_negative: bool
    currency: str
    is_percent: bool

    @property
    def is_code(self) -> bool:
        """Zeros in front, or more digits than measure anything: it names a thing."""
        digits = re.sub(r"[.,]", "", re.split(r"[eE]", self.body)[0])
        whole = re.split(r"[.,]", self.body)[0]
        return (len(whole) > 1 and whole[0] == "0") or (digits == whole and len(digits) > 18)

    @property
    def decimals(self) -> frozenset[Decimal]:
        """The ways it can be read; both for whole numbers, and for 1.234, which differs then."""
        return frozenset(d for d, pattern in STYLES.items() if pattern.fullmatch(self.body))

    @property
    def is_ambiguous(self) -> bool:
        return EITHER.fullmatch(self.body) is not None

    def plain(self, decimal: Decimal) -> str | None:
        """``-1234.50``; None where it cannot be read so."""
        if not STYLES[decimal].fullmatch(self.body):
            return None
        group = "," if decimal == "point" else "."
        digits = self.body.replace(group, "").replace(",", ".")
        text = ("-" if self.is_negative else "") + digits
        return text if PLAIN.fullmatch(text) else None


def read_number(cell: str) -> WrittenNumber | None:
    """None if it is no number in any way of writing that is known here."""
    found = WRITTEN.fullmatch(BRACKETED.sub(r"(\1", cell))
    if not found:
        return None
    signs = [sign for sign in (found["sign"], found["inner"], found["last"]) if sign]
    in_brackets = bool(found["open"])
    if in_brackets != bool(found["close"]) or len(signs) + in_brackets > 1:
        return None
    if found["before"] and found["after"]:
        return None
    body = found["body"]
    if grouped := GROUPED.fullmatch(body):
        # 1 234,567: its groups are told apart by spaces, so the comma is no group's.
        whole = re.sub(r"[^0-9]", "", grouped[1])
        body = whole + grouped[2]
        is_phone = found["sign"] == "+" and len(whole) >= PHONE_DIGITS
        if len(whole) < 4 or whole[0] == "0" or is_phone:
            return None
    if not any(pattern.fullmatch(body) for pattern in STYLES.values()):
        return None
    is_negative = in_brackets or (bool(signs) and signs[0] != "+")
    per_mille = PER_MILLE if found["percent"] == PER_MILLE else ""
    currency = (found["before"] or found["after"] or per_mille).rstrip(".")  # kr. is kr
    return WrittenNumber(body, is_negative, currency, bool(found["percent"]))
