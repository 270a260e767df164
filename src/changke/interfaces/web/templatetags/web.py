"""Filters and tags of the pages; a thin coat over `formats` and `pictures`. Built in: templates need no `load`."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache, reduce
from typing import Any

import segno
from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext, pgettext_lazy

from changke.facts.customers.rules import masked_phone
from changke.interfaces import words
from changke.interfaces.web import formats, pictures

register = template.Library()

Number = int | float | Decimal
NOTHING = "–"


def language() -> str:
    return get_language() or "zh-hans"


@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, size: int | str = 18) -> SafeString:
    """A drawing of the sprite, in the colour of the text. Hidden from screen readers: a word stands beside it."""
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"/></svg>',
        size,
        static("web/vendor/icons.svg"),
        name,
    )


@register.simple_tag
def chip(component: str, words: object = "", **attributes: object) -> SafeString:
    """A small component that many rows share, such as a stage or a tag: each of its looks is drawn once and kept.

    `words` is what stands inside it. A list of thirty customers shows two hundred of them and a dozen looks.
    """
    return _drawn(
        component, language(), str(words), tuple((name, str(attributes[name])) for name in sorted(attributes))
    )


@lru_cache(maxsize=4096)
def _drawn(component: str, language: str, words: str, attributes: tuple[tuple[str, str], ...]) -> SafeString:
    drawing = template.Template(f'{{% cotton {component} :attrs="attributes" %}}{{{{ words }}}}{{% endcotton %}}')
    return drawing.render(template.Context({"attributes": dict(attributes), "words": words}))


@register.simple_tag
def once() -> SafeString:
    """The one-time number of a form whose view is `sent_once`."""
    return format_html('<input type="hidden" name="once" value="{}">', uuid.uuid4())


@register.simple_tag
def qr(text: str, scale: int = 4) -> SafeString:
    """A QR code as inline SVG, black on white in both themes so that every camera reads it."""
    drawing: str = segno.make(text, error="m").svg_inline(scale=scale, border=1, omitsize=False)
    return mark_safe(drawing)


@register.filter
def number(value: Number | None, digits: int = 0) -> str:
    return NOTHING if value is None else formats.number(value, digits)


@register.filter
def short(value: Number | None) -> str:
    return NOTHING if value is None else formats.short_number(value, language())


@register.filter
def money(minor: int | None) -> str:
    return NOTHING if minor is None else formats.money(minor, formats.currency.get(), language())


@register.filter
def short_money(minor: int | None) -> str:
    return NOTHING if minor is None else formats.short_money(minor, formats.currency.get(), language())


@register.filter
def percent(share: Number | None, digits: int = 1) -> str:
    """A share of one: 0.42 -> 42.0%."""
    return NOTHING if share is None else formats.percent(share, digits)


@register.filter
def basis_points(points: int | None, digits: int = 1) -> str:
    return NOTHING if points is None else formats.basis_points(points, digits)


@register.filter
def day(date: dt.date | dt.datetime | None) -> str:
    return NOTHING if date is None else formats.day(as_date(date), timezone.localdate(), language())


@register.filter
def long_day(date: dt.date | dt.datetime | None) -> str:
    return NOTHING if date is None else formats.long_day(as_date(date), language())


@register.filter
def month(date: dt.date | dt.datetime) -> str:
    return formats.month(as_date(date), language())


@register.filter
def clock(moment: dt.datetime | None) -> str:
    """14:30 in the active time zone."""
    return NOTHING if moment is None else f"{timezone.localtime(moment):%H:%M}"


@register.filter
def days_ago(date: dt.date | None) -> str:
    """today, yesterday, 41 days ago."""
    if date is None:
        return NOTHING
    days = (timezone.localdate() - as_date(date)).days
    if days == 0:
        return gettext("today")
    if days == 1:
        return gettext("yesterday")
    if days < 0:
        return ngettext("in %(days)s day", "in %(days)s days", -days) % {"days": formats.number(-days)}
    return ngettext("%(days)s day ago", "%(days)s days ago", days) % {"days": formats.number(days)}


@register.filter
def phone(number: str | None) -> str:
    """Masked: unmasking is an act of its own and is recorded."""
    return masked_phone(number) if number else NOTHING


@register.filter
def first_letter(name: str) -> str:
    return name.strip()[:1].upper() or "?"


@register.filter
def plain(value: Any) -> str:
    """A number for `style` and SVG attributes, where a localised comma would break it."""
    return format(value, "g") if isinstance(value, float) else str(value)


STAGE_WORDS = {
    "intro": pgettext_lazy("stage", "New"),
    "growth": pgettext_lazy("stage", "Growing"),
    "mature": pgettext_lazy("stage", "Loyal"),
    "silent": pgettext_lazy("stage", "Quiet"),
    "lost": pgettext_lazy("stage", "Lost"),
    "new": pgettext_lazy("stage", "Walk-in"),
}


@register.filter
def then(first: Any, second: Any) -> str:
    """One sentence after another: Chinese sets no space behind its full stop."""
    before = str(first)
    return f"{before}{'' if before.endswith(('。', '；', '！', '？')) else ' '}{second}".strip()


@register.filter
def sentences(said: Iterable[Any]) -> str:
    """All of them one after another."""
    return reduce(then, said, "")


@register.filter
def stage_words(key: str) -> str:
    """The usual word for a stage key; a model with words of its own passes them instead."""
    return str(STAGE_WORDS.get(key, key))


@register.filter
def chart_data(data: Any, key: str) -> SafeString:
    """The island's numbers as a JSON block, which is data and no script."""
    return json_script(data, f"{key}-data")


@register.filter
def spark(values: Sequence[float]) -> SafeString:
    points = pictures.spark_points(values)
    width, height = pictures.SPARK_WIDTH, pictures.SPARK_HEIGHT
    return format_html(
        '<svg class="spark" viewBox="0 0 {0} {1}" preserveAspectRatio="none" aria-hidden="true">'
        '<polygon points="0,{1} {2} {0},{1}"/><polyline points="{2}"/></svg>',
        width,
        height,
        points,
    )


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The page's query string with some values changed: `{% query page=None stage="lost" %}`. None takes one away."""
    params = context["request"].GET.copy()
    for key, value in changes.items():
        if value is None or value == "":
            params.pop(key, None)
        elif isinstance(value, (list, tuple)):
            params.setlist(key, [str(one) for one in value])
        else:
            params[key] = str(value)
    return f"?{params.urlencode()}"


def as_date(value: dt.date | dt.datetime) -> dt.date:
    return timezone.localtime(value).date() if isinstance(value, dt.datetime) else value


@register.filter
def consent_reason(code: str) -> str:
    """Why we may reach her, or may not."""
    return str(words.CONSENT_REASONS[code])
