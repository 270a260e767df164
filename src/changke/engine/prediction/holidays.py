"""Holidays that move from year to year: on which days they fell and will fall.

A table and no computation, because a table can be read; a test holds it against moon and sun.
"""

import datetime as dt

SPRING_FESTIVAL, QINGMING, DRAGON_BOAT, MID_AUTUMN = "spring_festival", "qingming", "dragon_boat", "mid_autumn"

# The year, then month and day of the first day of the first lunar month, of the fifth solar term, of the fifth of the
# fifth and of the fifteenth of the eighth month.
_CHINESE = """
    2000 0205 0404 0606 0912   2001 0124 0405 0625 1001   2002 0212 0405 0615 0921   2003 0201 0405 0604 0911
    2004 0122 0404 0622 0928   2005 0209 0405 0611 0918   2006 0129 0405 0531 1006   2007 0218 0405 0619 0925
    2008 0207 0404 0608 0914   2009 0126 0404 0528 1003   2010 0214 0405 0616 0922   2011 0203 0405 0606 0912
    2012 0123 0404 0623 0930   2013 0210 0404 0612 0919   2014 0131 0405 0602 0908   2015 0219 0405 0620 0927
    2016 0208 0404 0609 0915   2017 0128 0404 0530 1004   2018 0216 0405 0618 0924   2019 0205 0405 0607 0913
    2020 0125 0404 0625 1001   2021 0212 0404 0614 0921   2022 0201 0405 0603 0910   2023 0122 0405 0622 0929
    2024 0210 0404 0610 0917   2025 0129 0404 0531 1006   2026 0217 0405 0619 0925   2027 0206 0405 0609 0915
    2028 0126 0404 0528 1003   2029 0213 0404 0616 0922   2030 0203 0405 0605 0912   2031 0123 0405 0624 1001
    2032 0211 0404 0612 0919   2033 0131 0404 0601 0908   2034 0219 0405 0620 0927   2035 0208 0405 0610 0916
    2036 0128 0404 0530 1004   2037 0215 0404 0618 0924   2038 0204 0405 0607 0913   2039 0124 0405 0527 1002
    2040 0212 0404 0614 0920   2041 0201 0404 0603 0910   2042 0122 0404 0622 0928   2043 0210 0405 0611 0917
    2044 0130 0404 0531 1005   2045 0217 0404 0619 0925   2046 0206 0404 0608 0915   2047 0126 0405 0529 1004
    2048 0214 0404 0615 0922   2049 0202 0404 0604 0911   2050 0123 0404 0623 0930
"""
_ROWS = [line.split() for part in _CHINESE.strip().splitlines() for line in part.strip().split("   ")]

CHINESE: dict[str, tuple[dt.date, ...]] = {
    name: tuple(dt.date(int(row[0]), int(row[place][:2]), int(row[place][2:])) for row in _ROWS)
    for place, name in enumerate((SPRING_FESTIVAL, QINGMING, DRAGON_BOAT, MID_AUTUMN), start=1)
}

CALENDARS: dict[str, dict[str, tuple[dt.date, ...]]] = {"chinese": CHINESE, "none": {}}
"""What a chain may have its customers' year counted by: names of holidays and their days, ascending."""

CALENDAR = "chinese"
