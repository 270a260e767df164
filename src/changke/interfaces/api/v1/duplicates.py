"""Pairs of records that may be of one person: the list, and what is decided about each."""

import datetime as dt
from typing import Any, Literal

from django.db.models import Q
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from changke.facts.duplicates.models import Duplicate, State
from changke.facts.duplicates.queries import decided_pairs, open_pairs, pairs_in
from changke.facts.duplicates.services import ask_again, merge_pair, not_same
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import NotFound
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Id, Input
from changke.interfaces.api.paging import Page, PageQuery, page, position
from changke.interfaces.api.v1.customers import CustomerOut, told

router = Router(tags=["customers"])

MOMENTS_FROM = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class DuplicateOut(Schema):
    """Two records and why they may be of one person."""

    id: int
    rule: str = Field(..., description="`phone_name`, `account`, `name_birthday`, `email` or `phone`.")
    said: str = Field(..., description="The rule in words, in the language you ask for.")
    score: int = Field(..., description="How many of a hundred such pairs are one person, by estimate.")
    why: list[str] = Field(..., description="What both have in common: phone, account, email, name, birthday.")
    state: State
    found_at: dt.datetime
    decided_at: dt.datetime | None
    decided_by: str = Field(..., description="Name of the person who decided; empty for a key.")
    customers: list[CustomerOut] = Field(..., description="Both of them; of a merged pair as whom they are read now.")


class DuplicateQuery(PageQuery):
    state: Literal["proposed", "decided"] = Field("proposed", description="`decided`: merged, or called two persons.")


class MergePairIn(Input):
    into_id: Id = Field(..., description="Which of the two stays: the other is read as this one.")

    model_config = {"json_schema_extra": {"examples": [{"into_id": 4711}]}}


@router.get("", response=Page[DuplicateOut], operation_id="get_duplicates", summary="Pairs that may be one person")
def get_duplicates(request: HttpRequest, query: Query[DuplicateQuery]) -> dict[str, Any]:
    """Pairs of which you may see both customers: those that wait, the surest first, or those that were decided, the
    latest first. The search runs every night; `changke duplicates find` runs it now."""
    scope = actor(request).scope_for(Capability.DUPLICATES_REVIEW)
    rows = open_pairs(scope) if query.state == "proposed" else decided_pairs(scope)
    if query.state == "proposed":
        if (after := position(query.cursor, int, int)) is not None:
            rows = rows.filter(Q(score__lt=after[0]) | Q(score=after[0], pk__gt=after[1]))
    elif (after := position(query.cursor, int, int)) is not None:
        moment = MOMENTS_FROM + dt.timedelta(microseconds=after[0])
        rows = rows.filter(Q(decided_at__lt=moment) | Q(decided_at=moment, pk__lt=after[1]))
    found = list(rows[: query.limit + 1])
    shown = _told(found[: query.limit])
    return page(found, query.limit, ends=_ends, show=lambda one: shown[one.pk])


def _ends(pair: Duplicate) -> list[Any]:
    if pair.state == State.PROPOSED or pair.decided_at is None:
        return [pair.score, pair.pk]
    return [(pair.decided_at - MOMENTS_FROM) // dt.timedelta(microseconds=1), pair.pk]


@router.post(
    "/{int:pair_id}/merge",
    response=DuplicateOut,
    operation_id="post_duplicate_merge",
    summary="They are one person",
)
def post_duplicate_merge(request: HttpRequest, pair_id: int, body: MergePairIn) -> DuplicateOut:
    """The other record is read as the one that stays, from now on. Parted again through `DELETE
    /customers/{id}/merges/{merge_id}`."""
    scope, now = actor(request).scope_for(Capability.CUSTOMER_MERGE), dt.datetime.now(dt.UTC)
    return _shown(merge_pair(_pair(scope, pair_id), into_id=body.into_id, by=by(request), now=now))


@router.post(
    "/{int:pair_id}/not-same",
    response=DuplicateOut,
    operation_id="post_duplicate_not_same",
    summary="They are two persons",
)
def post_duplicate_not_same(request: HttpRequest, pair_id: int) -> DuplicateOut:
    """The pair is never proposed again, whatever the two come to share."""
    scope, now = actor(request).scope_for(Capability.DUPLICATES_REVIEW), dt.datetime.now(dt.UTC)
    return _shown(not_same(_pair(scope, pair_id), by=by(request), now=now))


@router.delete(
    "/{int:pair_id}/not-same",
    response=DuplicateOut,
    operation_id="delete_duplicate_not_same",
    summary="Take back that they are two",
)
def delete_duplicate_not_same(request: HttpRequest, pair_id: int) -> DuplicateOut:
    """The pair waits for a decision again. The next search lets it go where nothing speaks for it any more; 409 where
    the two are one by now."""
    scope, now = actor(request).scope_for(Capability.DUPLICATES_REVIEW), dt.datetime.now(dt.UTC)
    return _shown(ask_again(_pair(scope, pair_id), by=by(request), now=now))


def _pair(scope: Scope, pair_id: int) -> int:
    """The pair, if both are the scope's to see."""
    if not pairs_in(scope).filter(pk=pair_id).exists():
        raise NotFound
    return pair_id


def _shown(pair: Duplicate) -> DuplicateOut:
    fresh = Duplicate.objects.select_related("one", "other", "decided_by").get(pk=pair.pk)
    return _told([fresh])[fresh.pk]


def _told(pairs: list[Duplicate]) -> dict[int, DuplicateOut]:
    ids = {person for one in pairs for person in _persons(one)}
    people = {one.id: one for one in told(ids)}
    return {
        one.pk: DuplicateOut(
            id=one.pk,
            rule=one.rule,
            said=str(words.DUPLICATES[one.rule]),
            score=one.score,
            why=one.why,
            state=State(one.state),
            found_at=one.found_at,
            decided_at=one.decided_at,
            decided_by=one.decided_by.name if one.decided_by else "",
            customers=[people[person] for person in _persons(one) if person in people],
        )
        for one in pairs
    }


def _persons(pair: Duplicate) -> list[int]:
    return list(dict.fromkeys([pair.one.merged_into_id or pair.one_id, pair.other.merged_into_id or pair.other_id]))
