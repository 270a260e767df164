"""The Chinese calendar by its own rule, from where moon and sun stand (Meeus, Astronomical Algorithms, 25 and 49).

The month in which the sun reaches 270 degrees is the eleventh. If thirteen months lie between two such, the first in
which it reaches no multiple of thirty has no number of its own.
"""

import datetime as dt
from math import floor, radians, sin

LUNATION, YEAR = 29.530588861, 365.2425
BEFORE_ORDINALS = 1_721_425
"""Julian days before the first of January of year 1, as `date.toordinal` counts."""
CHINA = (8 * 3600 - 69) / 86400
"""Eight hours ahead, less the 69 seconds by which the clock of the sky is."""


def new_moon(k: int) -> float:
    """Julian day of the k-th new moon after the first of 2000, to a minute."""
    t = k / 1236.85
    e = 1 - 0.002516 * t
    sun = radians(2.5534 + 29.10535670 * k)
    moon = radians(201.5643 + 385.81693528 * k + 0.0107582 * t**2)
    node = radians(160.7108 + 390.67050284 * k - 0.0016118 * t**2)
    return (
        2451550.09766 + LUNATION * k + 0.00015437 * t**2
        - 0.40720 * sin(moon) + 0.17241 * e * sin(sun) + 0.01608 * sin(2 * moon) + 0.01039 * sin(2 * node)
        + 0.00739 * e * sin(moon - sun) - 0.00514 * e * sin(moon + sun) + 0.00208 * e**2 * sin(2 * sun)
        - 0.00111 * sin(moon - 2 * node) - 0.00057 * sin(moon + 2 * node) + 0.00056 * e * sin(2 * moon + sun)
        - 0.00042 * sin(3 * moon) + 0.00042 * e * sin(sun + 2 * node) + 0.00038 * e * sin(sun - 2 * node)
        - 0.00024 * e * sin(2 * moon - sun) - 0.00017 * sin(radians(124.7746 - 1.56375588 * k))
        + 0.000325 * sin(radians(299.77 + 0.107408 * k)) + 0.000165 * sin(radians(251.88 + 0.016321 * k))
    )  # fmt: skip


def sun(julian: float) -> float:
    """Where the sun stands, in degrees from the spring equinox, to a hundredth."""
    t = (julian - 2451545.0) / 36525
    anomaly = radians(357.52911 + 35999.05029 * t)
    centre = (1.914602 - 0.004817 * t) * sin(anomaly) + 0.019993 * sin(2 * anomaly) + 0.000289 * sin(3 * anomaly)
    return (280.46646 + 36000.76983 * t + centre - 0.00569 - 0.00478 * sin(radians(125.04 - 1934.136 * t))) % 360


def day(julian: float) -> int:
    """The day in China, as `date.toordinal` counts."""
    return floor(julian + 0.5 + CHINA) - BEFORE_ORDINALS


def reaches(angle: float, year: int) -> int:
    """On which day of the year the sun reaches an angle."""
    at = 2451545.0 + (year - 2000 + (angle - 280) % 360 / 360) * YEAR
    for _ in range(8):
        at += ((angle - sun(at) + 180) % 360 - 180) / 360 * YEAR
    return day(at)


def months(year: int) -> dict[int, int]:
    """Number -> first day of the months from the eleventh of the year before to the tenth."""
    since, until = reaches(270, year - 1), reaches(270, year)
    nearly = floor((year - 2001) * 12.3685) + 8
    begun = [day(new_moon(k)) for k in range(nearly, nearly + 34)]
    first, last = (max(place for place, one in enumerate(begun) if one <= edge) for edge in (since, until))
    found, number, one_too_many = {}, 11, last - first == 13
    for place in range(first, last):
        signs = [floor(sun(one + BEFORE_ORDINALS - 0.5 - CHINA) / 30) for one in begun[place : place + 2]]
        if one_too_many and signs[0] == signs[1]:
            one_too_many = False
            continue
        found[number] = begun[place]
        number = number % 12 + 1
    return found


def holidays(year: int) -> tuple[dt.date, ...]:
    """Spring Festival, Qingming, Dragon Boat Festival, Mid-Autumn Festival."""
    found = months(year)
    return tuple(map(dt.date.fromordinal, (found[1], reaches(15, year), found[5] + 4, found[8] + 14)))
