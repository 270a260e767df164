"""She was here and bought nothing: regulars come more often than they buy."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from changke.facts.visits.services.record import record_visit
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.interfaces.web.record.pick import pick
from changke.interfaces.web.record.setting import setting_of, show, written


@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    setting = setting_of(request, timezone.now(), Capability.FACTS_RECORD)
    title = gettext("Visit")
    if setting.customer is None:
        return pick(setting, title=title)
    if setting.posted:
        try:
            record_visit(
                customer=setting.customer,
                store=setting.store,
                staff=setting.by(),
                purpose=setting.given("purpose"),
                source_key=setting.key,
                happened_at=setting.moment(),
                now=setting.now,
            )
        except Invalid as refusal:
            setting.refuse(refusal)
        else:
            return written(
                setting, gettext("%(name)s: visit written down.") % {"name": setting.customer}, setting.customer
            )
    purposes = [gettext("Advice"), gettext("Treatment"), gettext("Picking up"), gettext("Accompanying somebody")]
    context = {"purposes": [(one, one) for one in purposes], "purpose": setting.given("purpose")}
    return show(setting, "record/_visit.html", context, title=title)
