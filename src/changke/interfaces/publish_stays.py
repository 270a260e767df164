"""Which segments and stages the analysts' file may tell: those that ask for nothing that it leaves out.

Who is in a segment tells what the segment asks. One that asks for a tag, a consent, an own field, a single service, a
list that somebody froze, stays here, and so does a stage model that asks for one. What was asked before somebody
changed it is not known here, so a stay that began under other rules is told only while it lasts, without its beginning.
"""

# ruff: noqa: S608 -- statements are made of our own words and of numbers of ours
import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from changke.facts.tables import PERSON
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.conditions import Condition
from changke.profiles.conditions.deeds import TABLES, Counted, Deed
from changke.profiles.conditions.deeds import Sequence as OneAfterAnother
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.queries import models_in_use, read_stored, stored_models
from changke.profiles.segments.asking import STAGE, Words, words_of_the_chain
from changke.profiles.segments.models import Segment
from changke.profiles.segments.queries import SegmentUnreadable, condition_of
from changke.profiles.value.asked import ASKED

LEFT_OUT = {"adviser_id", "need_group_id", "service_preference_id"}
"""Attributes that name somebody (she stands as a pseudonym in `customers`), or what she is treated for."""
OF_THE_CARD = {"gender", "known_on", "birth_year"}
SAID = frozenset(COLUMNS) - LEFT_OUT | OF_THE_CARD | frozenset(ASKED.columns)

SEGMENTS = {
    "segment": "key of a segment that asks for nothing that this file leaves out",
    "name": "what it is called",
    "asks": "its condition, as text",
    "version": "counts what it asks",
    "followed_since": "since when it is written down who is in it",
    "told_from": "from this day on it has asked what it asks: stays that began earlier have no beginning here",
}
STAYS = {
    "customer": "pseudonym",
    "segment": "key of the segment",
    "entered_on": "the day she entered; NULL: before `told_from` of the segment, told only while she is in it",
    "entered_why": "why: fact (something new was known), import, refresh (a day went by), publish (it was saved)",
    "left_on": "the day she left; NULL: she is in it",
    "left_why": "why, in the same words",
}
TYPES = {
    **dict.fromkeys(("segment", "name", "asks", "entered_why", "left_why"), "VARCHAR"),
    **dict.fromkeys(("entered_on", "left_on", "followed_since", "told_from"), "DATE"),
}
"""Of columns that may be empty in every row, or look like numbers in each."""


@dataclass(frozen=True)
class Told:
    """A segment of the file, and from which moment on it asks what it asks."""

    segment: Segment
    since: dt.datetime


def models_told() -> list[str]:
    """Keys of the stage models that ask for nothing that the file leaves out, those switched off too."""
    return [one.key for one in stored_models() if _model_is_told(one)]


def stage_told() -> bool:
    """Whether the stage in the default model is."""
    return _default() in models_told()


def _default() -> str:
    """Its key; empty in a chain without models."""
    return next((one.key for one in models_in_use()), "")


def segments_told() -> list[Told]:
    """The followed segments that go out, by key."""
    words = words_of_the_chain()
    models = {one.key: one for one in stored_models() if one.is_in_use}
    told = set(models_told())
    default = _default()
    everybody = {one.key: one for one in Segment.objects.all()}
    return [
        Told(one, _since(one, [models[key] for key in asked], everybody, words))
        for one in sorted(everybody.values(), key=lambda one: one.key)
        if one.tracked_since is not None and (asked := _asks(one, words, told, default)) is not None
    ]


def _asks(one: Segment, words: Words, told: set[str], default: str) -> set[str] | None:
    """The stage models that it asks; None if it asks for what the file leaves out."""
    try:
        condition = condition_of(one, words)
    except SegmentUnreadable:
        return None
    stages = {name for name in condition.attributes if name == STAGE or name.startswith(f"{STAGE}.")}
    models = {name.partition(".")[2] or default for name in stages}
    return models if models <= told and _goes_out(condition, but=stages) else None


def _goes_out(condition: Condition, *, but: Collection[str] = ()) -> bool:
    return set(condition.attributes) - set(but) <= SAID and all(
        all(deed.kind in TABLES and not deed.by for deed in _deeds(one)) and bool(_deeds(one))
        for one in condition.asked()
    )


def _deeds(asked: object) -> tuple[Deed, ...]:
    """What was done that a question is about; nothing of tags, consents and lists."""
    match asked:
        case Counted():
            return (asked.deed,)
        case OneAfterAnother():
            return (asked.first, asked.then)
    return ()


def _model_is_told(one: StageModel) -> bool:
    # As it was written: tags and deeds have become columns in what is computed.
    asked = [rule.said or rule.condition for rule in read_stored(one).rules]
    return all(_goes_out(condition) for condition in asked if condition is not None)


def _since(one: Segment, models: Sequence[StageModel], everybody: Mapping[str, Segment], words: Words) -> dt.datetime:
    """Its own versions are counted; of what it asks for within itself the moment of the last change is known."""
    inner = [everybody[key].changed_at for key in _within(one.tree, words, everybody)]
    began = one.tracked_since or one.changed_at
    return max([began, *inner, *(model.published_at for model in models)])


def _within(tree: object, words: Words, everybody: Mapping[str, Segment]) -> Iterator[str]:
    """Keys of the segments that it asks for, and of those that these ask for."""
    if isinstance(tree, Mapping):
        key = tree.get("segment")
        if isinstance(key, str) and key in everybody:
            yield key
            yield from _within(words.trees.get(key), words, everybody)
        for part in tree.values():
            yield from _within(part, words, everybody)
    elif isinstance(tree, list):
        for part in tree:
            yield from _within(part, words, everybody)


def stays_query(told: Sequence[Told]) -> str:
    """The rows of `segment_stays`, with the customer's own number in `customer_id`."""
    whole = "(stay.entered_version = told.version AND stay.entered_at >= told.since)"
    return (
        f"SELECT {PERSON} AS customer_id, told.key AS segment,"
        f" CASE WHEN {whole} THEN {_day('stay.entered_at')} END AS entered_on,"
        f" CASE WHEN {whole} THEN stay.entered_why END AS entered_why,"
        f" {_day('stay.left_at')} AS left_on, NULLIF(stay.left_why, '') AS left_why"
        f" FROM profiles_segmentmember AS stay JOIN {_rows(told)} ON told.id = stay.segment_id"
        " JOIN facts_customer AS record ON record.id = stay.customer_id"
        f" WHERE stay.left_at IS NULL OR {whole} AND stay.left_version = told.version"
    )


def segments_query(told: Sequence[Told]) -> str:
    """The rows of `segments`."""
    return (
        "SELECT told.key AS segment, whole.name, whole.text AS asks, told.version,"
        f" {_day('whole.tracked_since')} AS followed_since, {_day('told.since')} AS told_from"
        f" FROM profiles_segment AS whole JOIN {_rows(told)} ON told.id = whole.id"
    )


def _rows(told: Sequence[Told]) -> str:
    """The segments as a table of a statement. A key is small letters, digits and _."""
    rows = [
        f"({one.segment.pk}::bigint, '{one.segment.key}'::text, {one.segment.version}, '{one.since}'::timestamptz)"
        for one in told
    ]
    nothing = "(NULL::bigint, NULL::text, NULL::int, NULL::timestamptz)"
    return f"(VALUES {', '.join(rows) or nothing}) AS told (id, key, version, since)"


def _day(moment: str) -> str:
    """Its day in the chain's zone."""
    zone = the_chain().time_zone.replace("'", "''")
    return f"({moment} AT TIME ZONE '{zone}')::date"
