"""Dates and moments as people and spreadsheets write them. What could be two days is refused, never guessed."""

import datetime as dt
import re
import unicodedata

from changke.interfaces.importers.normalise.texts import text
from changke.interfaces.importers.problems import Refused

EARLIEST = dt.date(1970, 1, 1)
EXCEL_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 a serial is local time without a zone
SERIAL = re.compile(r"^\d{5}(\.\d+)?$")
SERIALS = (25569, 73050)  # 1970-01-01 .. 2099-12-31

DAY = r"(?P<year>\d{4})(?:[-/.年]\s*(?P<month>\d{1,2})[-/.月]\s*(?P<day>\d{1,2})日?|(?P<month8>\d{2})(?P<day8>\d{2}))"
CLOCK = (
    r"(?:(?:T|\s|,)*(?P<half>上午|下午|晚上|凌晨|中午|am|pm)?\s*(?P<hour>\d{1,2})[:时点](?P<minute>\d{1,2})?(?:[:分](?P<second>\d{1,2})?)?"
    r"(?:\.\d+)?秒?\s*(?P<half_behind>am|pm)?\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
MOMENT = re.compile(rf"^{DAY}\s*(?:(?:星期|周)[一二三四五六日天])?{CLOCK}$", re.IGNORECASE)
COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?$")
TIME = re.compile(rf"^{CLOCK}$", re.IGNORECASE)
FRACTION_OF_DAY = re.compile(r"^0?\.\d+$")
DAY_FIRST = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:\s.*)?$")


def moment(value: str, *, earliest: dt.date = EARLIEST) -> str:
    """ISO text: `2025-01-03`, `2025-01-03 14:05:00`, or with the zone it carried, `2025-01-03 14:05:00+08:00`.

    Without a zone it is the store's local time. A day without a time stays a day.
    """
    found = unicodedata.normalize("NFKC", text(value)).strip()
    if SERIAL.match(found) and SERIALS[0] <= float(found) <= SERIALS[1]:
        return _iso(EXCEL_EPOCH + dt.timedelta(seconds=round(float(found) * 86400)), timed="." in found)
    if parts := COMPACT.match(found):
        found = f"{parts[1]}-{parts[2]}-{parts[3]} {parts[4]}:{parts[5]}:{parts[6] or '00'}"
    if DAY_FIRST.match(found):
        raise Refused("date_ambiguous")
    parts = MOMENT.match(found)
    if parts is None:
        raise Refused("date_wrong")
    try:
        day = dt.date(int(parts["year"]), int(parts["month"] or parts["month8"]), int(parts["day"] or parts["day8"]))
        clock = _clock(parts)
    except ValueError as error:
        raise Refused("date_impossible") from error
    if day < earliest:
        raise Refused("date_too_early", earliest=earliest.isoformat())
    if clock is None:
        return day.isoformat()
    return _iso(dt.datetime.combine(day, clock), timed=True) + _zone(parts["zone"])


def day(value: str, *, earliest: dt.date = EARLIEST) -> str:
    """Only the day, as ISO text."""
    return moment(value, earliest=earliest)[:10]


def time_of_day(value: str) -> str:
    """`14:05`, `下午2点5分`, Excel's fraction of a day -> `14:05:00`."""
    found = unicodedata.normalize("NFKC", text(value)).strip()
    if FRACTION_OF_DAY.match(found):
        return (EXCEL_EPOCH + dt.timedelta(seconds=round(float(found) * 86400))).time().isoformat()
    if " " in found and MOMENT.match(found):  # a cell with a date of no meaning before the time
        return moment(found)[11:19] or "00:00:00"
    parts = TIME.match(found)
    try:
        clock = _clock(parts) if parts else None
    except ValueError:
        clock = None
    if clock is None:
        raise Refused("time_wrong")
    return clock.isoformat()


BIRTHDAY = re.compile(r"^(?:(?P<year>\d{4})[-/.年])?(?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?$")
BIRTH_MONTH = re.compile(r"^(?P<year>\d{4})[-/.年](?P<month>\d{1,2})月?$")
BIRTH_YEAR = re.compile(r"^(?P<year>\d{4})年?$")


def birthday(value: str) -> str:
    """`year|month|day`, where what is not known stays empty: `1990-05-01`, `5月1日`, `05-01`, `1990年`, a serial."""
    found = unicodedata.normalize("NFKC", text(value)).strip().replace(" 00:00:00", "")
    if parts := BIRTH_YEAR.match(found):
        return f"{_birth_year(parts['year'])}||"
    if re.fullmatch(r"\d{5}", found) and int(found) < SERIALS[1]:
        born = EXCEL_EPOCH + dt.timedelta(days=int(found))
        return f"{born.year}|{born.month}|{born.day}"
    if eight := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", found):
        found = "-".join(eight.groups())
    if parts := BIRTH_MONTH.match(found):
        if not 1 <= int(parts["month"]) <= 12:
            raise Refused("date_impossible")
        return f"{_birth_year(parts['year'])}|{int(parts['month'])}|"
    parts = BIRTHDAY.match(found)
    if parts is None:
        raise Refused("birthday_wrong")
    try:
        born_on = dt.date(int(parts["year"] or 2000), int(parts["month"]), int(parts["day"]))  # 2000 knows 29 February
    except ValueError as error:
        raise Refused("date_impossible") from error
    return f"{_birth_year(parts['year']) if parts['year'] else ''}|{born_on.month}|{born_on.day}"


def _birth_year(year: str) -> int:
    # 1900-01-01 is how many systems write "unknown"; nobody in a shop is born before 1905.
    if not 1905 <= int(year) <= 2100:
        raise Refused("birthday_wrong")
    return int(year)


def _clock(parts: "re.Match[str]") -> dt.time | None:
    if parts["hour"] is None:
        return None
    hour, half = int(parts["hour"]), (parts["half"] or parts["half_behind"] or "").lower()
    if half in {"下午", "晚上", "pm"} and hour < 12:
        hour += 12
    if half in {"am", "凌晨", "上午"} and hour == 12:
        hour = 0
    return dt.time(hour, int(parts["minute"] or 0), int(parts["second"] or 0))


def _zone(zone: str | None) -> str:
    if not zone:
        return ""
    if zone.upper() == "Z":
        return "+00:00"
    return zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"


def _iso(at: dt.datetime, *, timed: bool) -> str:
    return at.isoformat(sep=" ", timespec="seconds") if timed else at.date().isoformat()
