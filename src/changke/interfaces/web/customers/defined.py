"""Attributes that no page calls by a short name: the words of their definitions, which then are their names.

Word for word the headers of `profiles/attributes/definitions`, so that they can be translated; a test holds the two
together.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DEFINED: Mapping[str, str | Promise] = {
    "home_store_id": _("home store"),
    "adviser_id": _("adviser"),
    "birth_half_decade": _("the half decade she was born in, 1995 for 95后"),
    "uses_90d": _("card uses in the last 90 days"),
    "uses_365d": _("card uses in the last 365 days"),
    "last_use_on": _("day of the last card use"),
    "consumption": _("services and products rendered"),
    "consumption_30d": _("services and products rendered in the last 30 days"),
    "consumption_60d": _("services and products rendered in the last 60 days"),
    "consumption_90d": _("services and products rendered in the last 90 days"),
    "consumption_180d": _("services and products rendered in the last 180 days"),
    "items": _("items"),
    "items_30d": _("items in the last 30 days"),
    "items_60d": _("items in the last 60 days"),
    "items_90d": _("items in the last 90 days"),
    "items_180d": _("items in the last 180 days"),
    "items_365d": _("items in the last 365 days"),
    "margin": _("profit, where it is known"),
    "margin_basis": _("what the profit rests on: cost, percent or mixed"),
    "spend": _("cash in"),
    "spend_30d": _("cash in of the last 30 days"),
    "spend_60d": _("cash in of the last 60 days"),
    "spend_90d": _("cash in of the last 90 days"),
    "spend_180d": _("cash in of the last 180 days"),
    "spend_365d": _("cash in of the last 365 days"),
    "refunds_30d": _("cash given back in the last 30 days"),
    "refunds_60d": _("cash given back in the last 60 days"),
    "refunds_90d": _("cash given back in the last 90 days"),
    "refunds_180d": _("cash given back in the last 180 days"),
    "refunds_365d": _("cash given back in the last 365 days"),
    "net_spend_30d": _("cash in less cash given back, last 30 days"),
    "net_spend_60d": _("cash in less cash given back, last 60 days"),
    "net_spend_90d": _("cash in less cash given back, last 90 days"),
    "net_spend_180d": _("cash in less cash given back, last 180 days"),
    "purchases_30d": _("purchases in the last 30 days"),
    "purchases_60d": _("purchases in the last 60 days"),
    "purchases_90d": _("purchases in the last 90 days"),
    "purchases_180d": _("purchases in the last 180 days"),
    "returned_purchases": _("purchases given back whole"),
    "average_ticket_30d": _("average purchase in the last 30 days"),
    "average_ticket_60d": _("average purchase in the last 60 days"),
    "average_ticket_90d": _("average purchase in the last 90 days"),
    "average_ticket_180d": _("average purchase in the last 180 days"),
    "average_ticket_365d": _("average purchase in the last 365 days"),
    "last_visit_on": _("day of the last visit"),
    "visits_30d": _("visits in the last 30 days"),
    "visits_60d": _("visits in the last 60 days"),
    "visits_90d": _("visits in the last 90 days"),
    "visits_180d": _("visits in the last 180 days"),
    "own_gaps": _("gaps between her active days"),
}
