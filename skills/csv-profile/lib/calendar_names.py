"""Names of months and weekdays in several languages, and their order.

Skills that look at values carry this same module, because a skill's folder stands alone.
"""

import re
import unicodedata
from collections.abc import Iterable

MONTHS = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jänner feber märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad "
    "grudzień",
    "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "jan feb mrz apr mai jun jul aug sept okt nov dez",
    "janv févr mars avr mai juin juil août sept oct nov déc",
    "ene feb mar abr may jun jul ago sep oct nov dic",
    "jan fev mar abr mai jun jul ago set out nov dez",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "янв фев мар апр май июн июл авг сен окт ноя дек",
    "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "jan feb mär apr maj jun jul avg sep okt nov dec",
)
WEEKDAYS = (
    "monday tuesday wednesday thursday friday saturday sunday",
    "mon tue wed thu fri sat sun",
    "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "mo di mi do fr sa so",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "lunes martes miércoles jueves viernes sábado domingo",
    "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "понедельник вторник среда четверг пятница суббота воскресенье",
    "пн вт ср чт пт сб вс",
)


def folded(name: str) -> str:
    """Without case, accents and a final point: ``Févr.`` -> ``fevr``."""
    letters = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(c for c in letters if not unicodedata.combining(c)).rstrip(".")


def numbered(lines: tuple[str, ...]) -> dict[str, int]:
    return {folded(n): at for line in lines for at, n in enumerate(line.split(), start=1)}


MONTH_NUMBERS = numbered(MONTHS)
WEEKDAY_NUMBERS = numbered(WEEKDAYS)
WITH_YEAR = re.compile(r"(?P<name>[^\W\d_]+\.?)[\s\-/,']*(?P<year>[0-9]{4}|[0-9]{2})")
YEAR_FIRST = re.compile(r"(?P<year>[0-9]{4})[\s\-/]*(?P<name>[^\W\d_]+\.?)")
Place = tuple[int, int]


def month_of(name: str) -> int | None:
    return MONTH_NUMBERS.get(folded(name))


def month_place(text: str) -> Place | None:
    """(year, month) of ``Jan``, ``März 2024``, ``Jan-24``; year 0 where none is written."""
    if month := month_of(text):
        return 0, month
    found = WITH_YEAR.fullmatch(text.strip()) or YEAR_FIRST.fullmatch(text.strip())
    month = month_of(found["name"]) if found else None
    if not found or not month:
        return None
    return int(found["year"]) + (2000 if len(found["year"]) == 2 else 0), month


def weekday_place(text: str) -> Place | None:
    day = WEEKDAY_NUMBERS.get(folded(text))
    return (0, day) if day else None


def calendar_order(names: Iterable[str]) -> list[str] | None:
    """The names as the calendar has them, if all are months or all are weekdays; else None."""
    known = list(names)
    for place_of in (month_place, weekday_place):
        places = {name: place for name in known if (place := place_of(name))}
        if known and len(places) == len(known):
            return sorted(known, key=lambda name: (places[name], name))
    return None
