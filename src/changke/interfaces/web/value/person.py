"""What is expected of one customer, and what she brought month by month; loaded into her page by itself."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext, pgettext
from django.views.decorators.http import require_GET

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in
from changke.facts.scores.queries import latest_of, scores_for
from changke.foundation.access.capabilities import Capability
from changke.foundation.money import to_major
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.scores import own as own_scores
from changke.profiles.value.profit import months_of, total
from changke.profiles.value.queries import prediction_of, value_rules


@require_GET
@needs(Capability.CUSTOMER_VIEW)
def show(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_VIEW), customer_id)
    scores = scores_for(current.staff(request).role)
    context = {
        "said": prediction_of(customer.pk),
        "rules": value_rules(),
        "scores": [own_scores.shown(one) for one in latest_of([customer.pk], scores).get(customer.pk, ())],
        "profit": _profit(customer),
    }
    return answer(request, "value/_person.html", context)


def _profit(customer: Customer) -> dict[str, object] | None:
    """Bars and rows of her last months; None before her first receipt."""
    zone = customer.home_store.time_zone if customer.home_store else the_chain().time_zone
    months = months_of(customer.pk, today=business_date(timezone.now(), zone))
    if not months:
        return None
    currency, language = formats.currency.get(), get_language() or "zh-hans"
    whole = total([one.profit for one in months])

    def said(minor: int | None) -> str:
        return "–" if minor is None else formats.money(minor, currency, language)

    labels = [formats.month(one.day, language) for one in months]
    profit, revenue = gettext("Profit"), gettext("Revenue")
    values = {
        profit: [round(to_major(one.profit.margin_minor or 0, currency)) for one in months],
        revenue: [round(to_major(one.profit.revenue_minor, currency)) for one in months],
    }
    if whole.margin_minor is None:
        del values[profit]
    colours = {profit: "growth", revenue: "intro"}
    return {
        "whole": whole,
        "known": "" if whole.known_share is None else formats.percent(whole.known_share, 0),
        "chart": {
            "labels": labels,
            "unit": currency,
            "series": [{"name": name, "colour": colours[name], "values": listed} for name, listed in values.items()],
        },
        "columns": [pgettext("lifecycle", "Month"), profit, revenue],
        "rows": [
            [label, said(one.profit.margin_minor), said(one.profit.revenue_minor)]
            for label, one in zip(labels, months, strict=True)
        ],
    }
