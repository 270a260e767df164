"""Customers: profile fields are audited state. Of batches there is one line each, whatever they did to how many."""

import datetime as dt
from collections.abc import Mapping

from changke.facts.customers.models import Customer, TagGroup, TagWord
from changke.facts.customers.services.change import CHANGEABLE, as_audited, change
from changke.facts.customers.services.tag_words import as_audited as as_audited_tag
from changke.facts.customers.services.tag_words import save_group, save_word
from changke.foundation.access.models import Staff
from changke.foundation.audit.kinds import Kind, leave_out, register
from changke.foundation.audit.rules import By, Values
from changke.foundation.organisation.models import Store


def _now(key: str) -> Values | None:
    customer = Customer.objects.filter(pk=key, is_active=True).first()
    return as_audited(customer, sorted(CHANGEABLE)) if customer else None


def _restore(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    """An adviser who has left is put back as nobody."""
    changes = dict(values)
    for field, rows in (("home_store", Store.objects.all()), ("adviser", Staff.objects.filter(is_active=True))):
        if field in changes:
            named = changes[field]
            changes[field] = rows.filter(pk=int(str(named))).first() if named is not None else None
    change(int(key), changes, by=by, now=now)


def _group(key: str) -> Values | None:
    group = TagGroup.objects.filter(pk=key).first()
    return as_audited_tag(group) if group else None


def _restore_group(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    group = TagGroup.objects.get(pk=key)
    was = {**as_audited_tag(group), **values}
    save_group(group, name=str(was["name"]), only_one=bool(was["only_one"]), by=by, now=now)


def _word(key: str) -> Values | None:
    word = TagWord.objects.filter(pk=key).first()
    return as_audited_tag(word) if word else None


def _restore_word(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    """A group that is gone is put back as none."""
    word = TagWord.objects.get(pk=key)
    was = {**as_audited_tag(word), **values}
    group = TagGroup.objects.filter(pk=str(was["group"])).first() if was["group"] is not None else None
    days = was["stale_after_days"]
    save_word(word.name, group=group, stale_after_days=int(str(days)) if days is not None else None, by=by, now=now)


register(Kind("tag_group", ("facts_taggroup",), "tags.manage", _group, _restore_group))
register(Kind("tag_word", ("facts_tagword",), "tags.manage", _word, _restore_word))
register(Kind("customer", ("facts_customer", "facts_tag"), "customer.edit", _now, _restore))
leave_out("facts_identifier", "written with the person: a registration, a batch or a merge, each with its own line")
leave_out("facts_replaced", "what a batch replaced, kept for its undo")
leave_out("facts_note", "what a person wrote is its own record, with who and when")
leave_out("facts_chosen", "whom a bulk change means: it is a batch, with one line")
leave_out("facts_kept", "rows of a batch that wait for their room")
leave_out("facts_guest", "follows from receipts and services, which are their own record")
leave_out("facts_tagspell", "follows from tags put on and taken off, which have their lines")
leave_out("facts_formertag", "what came off: the line stands with the taking off")
leave_out("facts_advising", "follows the adviser in the customer's row, whose change is the line")
leave_out("facts_mergelink", "a merge and an un-merge have a line in the story of both")
