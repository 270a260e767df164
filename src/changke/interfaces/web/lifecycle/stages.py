"""Stage by stage: how long customers stay in it, and what those who stand there need."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import jobs, words
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.lifecycle.colours import colours_of
from changke.profiles.attributes.queries import days_at
from changke.profiles.lifecycle import queries
from changke.profiles.lifecycle.needs import BOUGHT, CAUSES, KINDS, PROPOSED, TAGS, Need, needs_of
from changke.profiles.lifecycle.times import FEWEST, times_in

OLD_DAYS = 7
"""Older than this, the times are taken anew when somebody looks."""

MUCH_MORE = 1.25
"""From so many times the share of all stages on, a need is marked as the stage's own."""


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    models = queries.models_in_use()
    if not models:
        return answer(request, "lifecycle/empty.html", {"nav": "lifecycle"})
    model = next((one for one in models if one.key == request.GET.get("model")), models[0])
    language, scope = get_language() or "zh-hans", current.scope(request)
    today = days_at(timezone.now(), the_chain()).chain
    times = times_in(model, scope)
    if times.as_of is None or (today - times.as_of).days > OLD_DAYS:
        jobs.ask_for_spells()
    colours = colours_of(model)
    stages = []
    for stage, time, needed in zip(model.stages, times.stages, needs_of(model, scope, today=today), strict=True):
        stages.append(
            {
                "words": stage.words[language],
                "colour": colours[stage.key],
                "time": time,
                "customers": needed.customers,
                "kinds": [(kind, [_told(kind, one) for one in needed.told[kind]]) for kind in KINDS],
            }
        )
    context = {
        "nav": "lifecycle",
        "model": model,
        "models": [(one.key, one.words[language]) for one in models],
        "stages": stages,
        "as_of": times.as_of,
        "fewest": FEWEST,
        "kinds": {"tags": TAGS, "proposed": PROPOSED, "bought": BOUGHT, "causes": CAUSES},
    }
    return answer(request, "lifecycle/stages.html", context)


def _told(kind: str, need: Need) -> dict[str, object]:
    said = str(words.CAUSE_LABELS.get(need.what, need.what)) if kind == CAUSES else need.what
    return {
        "words": said,
        "need": need,
        "share": _share(need.share),
        "of_all": _share(need.share_of_all),
        "is_own": need.share >= MUCH_MORE * need.share_of_all,
    }


def _share(share: float) -> str:
    """In whole hundredths; what is not nobody is not told as nobody."""
    return f"<{formats.percent(0.01, 0)}" if 0 < share < 0.005 else formats.percent(share, 0)
