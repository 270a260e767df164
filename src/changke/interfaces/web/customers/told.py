"""What stands in tables of its own and is told in her timeline besides: what she allows, the tags she was given and
lost, records that were joined with hers, what the chain's own models say of her."""

from collections.abc import Iterator

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import F, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from changke.facts.consents.models import Consent
from changke.facts.consents.rules import Channel, Purpose
from changke.facts.customers.models import Advising, AdvisingReason, FormerTag, MergeLink, Tag, TagEnd
from changke.facts.customers.past import Worn
from changke.facts.scores.models import ScoreValue
from changke.facts.scores.queries import Said, scores_for
from changke.foundation.periods import business_date, start_of_day
from changke.interfaces import words
from changke.interfaces.web import formats
from changke.interfaces.web.customers.happenings import Asked, Happening, behind, narrowed, sorting
from changke.interfaces.web.customers.tags import evidence
from changke.interfaces.web.scores.own import shown

TOPICS_SHOWN = 4
"""Of what was asked in one breath; a longer form says how many more there are."""
ENDS: dict[str, str | Promise] = {
    TagEnd.REMOVED: _("Taken off"),
    TagEnd.DISPUTED: _("Called wrong"),
    TagEnd.STALE: _("Nobody confirmed it in time"),
    TagEnd.REPLACED: _("Another answer took its place"),
}


def consents(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    """What was said in one breath is one thing that happened: a form asks for ten at once."""
    rows = (
        Consent.objects.filter(customer_id__in=asked.records, withdrawn_by__isnull=True)
        .values("happened_at", "business_date", "given", "how", "staff__name", "store__name")
        .annotate(first=Min("pk"), topics=ArrayAgg(Concat("purpose", Value(":"), "channel"), order_by="pk"))
    )
    for one in behind(rows, asked, number, "happened_at", size, key="first"):
        how = str(words.CONSENT_HOWS.get(one["how"], ""))
        yield Happening(
            "other",
            one["happened_at"],
            one["business_date"],
            gettext("Consent given") if one["given"] else gettext("Consent refused or withdrawn"),
            text=" · ".join(filter(None, (_topics(one["topics"]), how))),
            who=" · ".join(filter(None, (one["store__name"], one["staff__name"]))),
            tone="good" if one["given"] else "warn",
            icon="shield",
            sorting=sorting(one["happened_at"], number, one["first"]),
        )


def _topics(codes: list[str]) -> str:
    pairs = [code.split(":") for code in dict.fromkeys(codes)]
    said = [words.topic(Purpose(purpose), Channel(channel)) for purpose, channel in pairs]
    told = formats.enumeration(said[:TOPICS_SHOWN], get_language() or "zh-hans")
    if len(said) > TOPICS_SHOWN:
        return gettext("%(items)s and %(more)s more") % {"items": told, "more": len(said) - TOPICS_SHOWN}
    return told


ON_NOW, ON_THEN, OFF = 0, 1, 2
"""A tag she wears was put on; one she wore was put on; it came off."""
EVIDENCE = ("name", "source", "given_by__name", "rule", "fact", "recorded_at")


def tags(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    """Tags put on and gone, each with why. In one question, because most customers have few of each."""
    parts = [
        narrowed(
            model.objects.filter(customer_id__in=asked.records).annotate(
                at=F(moment), key=F("pk") * 3 + what, end=end, by=by
            ),
            asked, number, "at", key="key",
        ).values_list("at", "key", "end", "by", *EVIDENCE)
        for model, moment, what, end, by in (
            (Tag, "recorded_at", ON_NOW, Value(""), Value("")),
            (FormerTag, "recorded_at", ON_THEN, Value(""), Value("")),
            (FormerTag, "ended_at", OFF, F("ended_because"), Coalesce("ended_by__name", Value(""))),
        )
    ]  # fmt: skip
    for at, key, end, by, name, source, given_by, rule, fact, since in (
        parts[0].union(*parts[1:], all=True).order_by("-at", "key")[:size]
    ):
        gone = key % 3 == OFF
        title = gettext("Tag gone: %(tag)s") if gone else gettext("Tag added: %(tag)s")
        yield Happening(
            "other",
            at,
            business_date(at, asked.time_zone),
            title % {"tag": name},
            text=str(ENDS.get(end, "")) if gone else evidence(Worn(name, source, given_by or "", rule, fact, since)),
            who=by,
            icon="tag",
            sorting=sorting(at, number, key),
        )


def merges(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    """Records that are read as hers. Parted again, they are told no more."""
    if len(asked.records) == 1:
        return
    mine = Q(into__in=asked.records) | Q(merged__in=asked.records)
    rows = MergeLink.objects.filter(mine, withdrawn_by__isnull=True).select_related("staff")
    for one in behind(rows, asked, number, "happened_at", size):
        yield Happening(
            "other",
            one.happened_at,
            one.business_date,
            gettext("Joined: record %(number)s is hers") % {"number": one.merged_id},
            who=one.staff.name if one.staff else "",
            icon="customers",
            sorting=sorting(one.happened_at, number, one.pk),
        )


def advisers(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    """Who began to look after her."""
    rows = Advising.objects.filter(customer_id__in=asked.records).select_related("staff", "given_by")
    for one in behind(rows, asked, number, "since", size):
        yield Happening(
            "other",
            one.since,
            business_date(one.since, asked.time_zone),
            gettext("Adviser from here on: %(name)s") % {"name": one.staff.name},
            text=gettext("Handed over") if one.reason == AdvisingReason.HANDED_OVER else "",
            who=one.given_by.name if one.given_by else "",
            icon="user",
            sorting=sorting(one.since, number, one.pk),
        )


FIRST = Q(was_number__isnull=True, was_text__isnull=True)
OTHER = (
    Q(number__lt=F("was_number"))
    | Q(number__gt=F("was_number"))
    | Q(text__lt=F("was_text"))
    | Q(text__gt=F("was_text"))
)  # without a NOT: of a word there is no number, and what is unknown is not unequal


def scores(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    """What a score says of her, on the day as of which it says it, where it says something else than before: a model
    that speaks every night would drown everything else."""
    visible = {one.pk: one for one in scores_for(asked.role or None)}
    if not visible:
        return
    rows = ScoreValue.objects.filter(customer_id__in=asked.records, score__in=visible, withdrawn_by__isnull=True)
    before = (
        rows.filter(score=OuterRef("score"))
        .filter(Q(scored_on__lt=OuterRef("scored_on")) | Q(scored_on=OuterRef("scored_on"), pk__lt=OuterRef("pk")))
        .order_by("-scored_on", "-pk")
    )
    news = (
        rows.exclude(number__isnull=True, text__isnull=True)
        .annotate(was_number=Subquery(before.values("number")[:1]), was_text=Subquery(before.values("text")[:1]))
        .filter(FIRST | OTHER)
    )
    for one in _behind_days(news, asked, number, size):
        said = shown(Said(visible[one.score_id], one.number, one.text, one.scored_on))
        at = start_of_day(one.scored_on, asked.time_zone)
        yield Happening(
            "other",
            at,
            one.scored_on,
            gettext("%(score)s: %(value)s") % {"score": said.name, "value": said.text},
            text=gettext("Said by a model of your own"),
            icon="chart",
            sorting=sorting(at, number, one.pk),
        )


def _behind_days(rows: "QuerySet[ScoreValue]", asked: Asked, number: int, size: int) -> list[ScoreValue]:
    """As `behind`, of what has a day and no moment: it stands at the day's beginning."""
    if position := asked.position:
        day = business_date(position.at, asked.time_zone)
        later = Q(scored_on__lt=day)
        if start_of_day(day, asked.time_zone) < position.at or number > position.source:
            later |= Q(scored_on=day)
        elif number == position.source:
            later |= Q(scored_on=day, pk__gt=position.pk)
        rows = rows.filter(later)
    if asked.as_of:
        rows = rows.filter(scored_on__lte=asked.as_of)
    return list(rows.order_by("-scored_on", "pk")[:size])
