"""Save a group, freeze one, drop one. Each is a setting of the chain and writes its line."""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction

from changke.facts.catalog.services.keep import register_askers
from changke.foundation.audit.rules import HOUSE, By, Values
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.queries import the_chain
from changke.profiles.conditions import TextError, print_tree
from changke.profiles.segments.asking import FROM, question, today_of, words_of_the_chain
from changke.profiles.segments.models import LONGEST_KEY, Segment, Why
from changke.profiles.segments.services import fields as _registers  # noqa: F401 -- what is asked keeps its meaning
from changke.profiles.segments.services.members import end_stays, refresh_members

KEY = re.compile(r"[a-z][a-z0-9_]*")
MOST = 500
"""Groups of a chain: each is asked at every refresh."""


class SegmentNameTaken(DomainError):
    code, status = "segment_name_taken", 409
    message = "There is already a segment with this name or key."


class SegmentInUse(DomainError):
    code, status = "segment_in_use", 409
    message = "Another segment asks for this one: %(name)s. Change that one first."


@register_askers
def asking_for_category(name: str) -> list[str]:
    """Names of the groups that ask for what was bought of this category: called otherwise they would ask in vain."""
    asking = Segment.objects.exclude(tree=None).values_list("name", "tree")
    return [one for one, tree in asking if _names_category(tree, name)]


def _names_category(tree: Any, name: str) -> bool:
    if isinstance(tree, Mapping):
        return tree.get("category") == name or any(_names_category(part, name) for part in tree.values())
    return isinstance(tree, list) and any(_names_category(part, name) for part in tree)


@transaction.atomic
def save_segment(
    segment: Segment | None,
    *,
    name: str,
    text: str,
    key: str = "",
    is_tracked: bool = True,
    by: By = HOUSE,
    now: dt.datetime,
) -> Segment:
    """A new group that asks, or an old one asking something else; its members are brought up to date at once.

    Raises
    ------
    Invalid
        For a text that is no condition, with line and column, what was expected, the nearest name.
    """
    if segment and segment.is_static:
        raise Invalid(field="text", reason="a frozen segment asks nothing; make a new one")
    one = segment or Segment(key=key or _free_key(name))
    before = as_audited(segment) if segment else None
    words = words_of_the_chain()
    if segment is None:
        _check_key(one.key)
        if Segment.objects.count() >= MOST:
            raise Invalid(field="name", reason="at most %(most)s segments", most=MOST)
    try:
        tree, _ = words.read(text)
        if segment:
            words.trees[one.key] = tree  # type: ignore[index]  # asked once more, standing for itself: a circle shows
            words.read(text)
    except TextError as error:
        raise refused(error) from None
    one.name, asks_otherwise = _name(name), segment is not None and tree != one.tree
    one.tree, one.text = tree, print_tree(tree, words.attributes, currency=words.currency)
    one.version += asks_otherwise
    was_tracked, one.is_tracked, one.changed_at = one.tracked_since is not None, is_tracked, now
    one.tracked_since = (one.tracked_since or now) if is_tracked else None
    _store(one)
    record(by=by, action="segment.changed", subject=f"segment:{one.pk}", before=before, after=as_audited(one), now=now)
    if is_tracked:  # called otherwise only, it asks what it asked: whoever moves does so for another reason
        refresh_members([one], now=now, why=Why.PUBLISH if asks_otherwise or not was_tracked else Why.REFRESH)
    elif was_tracked:
        end_stays(one, why=Why.UNTRACK, now=now)
    return one


@transaction.atomic
def freeze(*, name: str, text: str, key: str = "", by: By = HOUSE, now: dt.datetime) -> Segment:
    """Write down who fits at this moment, as a list that stays. With `segment has a and not segment has b` it is also
    how two groups are joined, met or taken from each other."""
    words = words_of_the_chain()
    try:
        _, condition = words.read(text)
    except TextError as error:
        raise refused(error) from None
    one = Segment(key=key or _free_key(name), name=_name(name), is_static=True, changed_at=now, refreshed_at=now)
    one.text = text.strip()
    _check_key(one.key)
    _store(one)
    asked = question(condition, words, today=today_of(the_chain(), now))
    with connection.cursor() as sql:
        sql.execute(
            "INSERT INTO profiles_segmentmember (segment_id, customer_id, entered_at, entered_version, entered_why)"
            f" SELECT %(segment)s, customer_id, %(now)s, 1, %(why)s FROM {FROM} WHERE {asked.where}"
            " ORDER BY customer_id",
            {**asked.values, "segment": one.pk, "now": now, "why": str(Why.FREEZE)},
        )
    record(by=by, action="segment.frozen", subject=f"segment:{one.pk}", before=None, after=as_audited(one), now=now)
    return one


@transaction.atomic
def drop_segment(segment: Segment, *, by: By = HOUSE, now: dt.datetime) -> None:
    """The group is gone and everybody left it; who came and who went stays known. Refused while another one asks for
    it."""
    for other in Segment.objects.exclude(pk=segment.pk).filter(tree__isnull=False):
        if segment.key in _asked_for(other.tree):
            raise SegmentInUse(name=other.name)
    record(by=by, action="segment.removed", subject=f"segment:{segment.pk}", before=as_audited(segment), now=now)
    end_stays(segment, why=Why.DROP, now=now)
    segment.dropped_at, segment.tracked_since = now, None
    segment.save(update_fields=["dropped_at", "tracked_since"])


def as_audited(one: Segment) -> Values:
    return {"key": one.key, "name": one.name, "text": one.text, "is_tracked": one.is_tracked}


def refused(error: TextError) -> Invalid:
    """A mistake of a text as everybody is told of it."""
    if error.nearest:
        return Invalid(
            field="text", reason="line %(line)s, column %(column)s: expected %(expected)s; did you mean %(nearest)s?",
            line=error.line, column=error.column, expected=error.expected, nearest=error.nearest,
        )  # fmt: skip
    return Invalid(
        field="text", reason="line %(line)s, column %(column)s: expected %(expected)s",
        line=error.line, column=error.column, expected=error.expected,
    )  # fmt: skip


def _asked_for(tree: object) -> set[str]:
    if isinstance(tree, Mapping):
        found = {tree["segment"]} if isinstance(tree.get("segment"), str) else set()
        return found.union(*(_asked_for(part) for part in tree.values()))
    return set().union(*(_asked_for(part) for part in tree)) if isinstance(tree, list) else set()


def _name(name: str) -> str:
    plain = " ".join(name.replace("\x00", "").split())
    if not plain or len(plain) > 60:
        raise Invalid(field="name", reason="a name has 1 to 60 characters")
    return plain


def _check_key(key: str) -> None:
    if not KEY.fullmatch(key) or len(key) > LONGEST_KEY:
        raise Invalid(field="key", reason="small letters, digits and _, at most %(longest)s", longest=LONGEST_KEY)


def _free_key(name: str) -> str:
    """From the letters of the name, else a number: Chinese names have none."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[: LONGEST_KEY - 5]
    base = plain if KEY.fullmatch(plain) else "segment"
    taken = set(Segment.objects.filter(key__startswith=base).values_list("key", flat=True))
    if base not in taken and base != "segment":
        return base
    return next(f"{base}_{number}" for number in range(1, MOST + 2) if f"{base}_{number}" not in taken)


def _store(one: Segment) -> None:
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError:
        raise SegmentNameTaken from None
