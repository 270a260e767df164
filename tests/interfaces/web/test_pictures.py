"""The geometry of the pictures that the server draws."""

import datetime as dt

from changke.interfaces.web import pictures
from changke.interfaces.web.pictures import Period

TODAY = dt.date(2026, 3, 4)


def days_ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def test_a_band_is_as_wide_as_its_share_of_the_days() -> None:
    periods = [
        Period("intro", "引入期", days_ago(400), days_ago(100)),
        Period("growth", "成长期", days_ago(100), TODAY),
    ]
    ribbon = pictures.ribbon(periods, [days_ago(400), days_ago(200), days_ago(200), days_ago(900)], "zh-hans")
    assert [band.width_percent for band in ribbon.bands] == [75.0, 25.0]
    assert ribbon.dots_percent == [0.0, 50.0]  # one per day, and none from before the ribbon
    assert ribbon.months == 13
    assert "引入期" in ribbon.said


def test_a_customer_without_a_past_has_an_empty_ribbon() -> None:
    assert pictures.ribbon([], [], "en").bands == []


def test_a_ribbon_of_one_day_does_not_divide_by_zero() -> None:
    ribbon = pictures.ribbon([Period("intro", "New", TODAY, TODAY)], [TODAY], "en")
    assert ribbon.months == 1


def draw(purchases: list[dt.date], expected: dt.date | None, visits: list[dt.date] | None = None) -> pictures.Rhythm:
    return pictures.rhythm(
        purchases=purchases, visits=visits or [], expected=expected, tolerance_days=6, today=TODAY, language="zh-hans"
    )


def test_the_rhythm_runs_from_left_to_right() -> None:
    rhythm = draw([days_ago(90), days_ago(60), days_ago(30)], days_ago(-2))
    places = [mark.x for mark in rhythm.bought]
    assert places == sorted(places)
    assert rhythm.last_x == places[-1] < rhythm.today_x
    assert rhythm.expected is not None
    assert rhythm.expected.x > rhythm.today_x
    assert not rhythm.late


def test_she_is_late_once_the_window_is_over() -> None:
    assert not draw([days_ago(30)], days_ago(6)).late
    assert draw([days_ago(30)], days_ago(7)).late


def test_a_visit_that_was_also_a_purchase_is_drawn_once() -> None:
    rhythm = draw([days_ago(30)], None, visits=[days_ago(30), days_ago(10)])
    assert (len(rhythm.bought), len(rhythm.visited)) == (1, 1)


def test_nobody_who_never_came_has_a_rhythm_that_breaks() -> None:
    rhythm = draw([], None)
    assert (rhythm.last_x, rhythm.expected, rhythm.window) == (None, None, None)


def test_what_is_older_than_a_year_is_left_out() -> None:
    assert len(draw([days_ago(800), days_ago(20)], None).bought) == 1


def test_a_spark_of_equal_values_is_flat() -> None:
    assert len({point.split(",")[1] for point in pictures.spark_points([5, 5, 5]).split()}) == 1
    assert pictures.spark_points([]) == ""
