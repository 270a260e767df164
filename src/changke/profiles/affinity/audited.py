"""Rules that tag are rules: every change of one is a line, and can be put back."""

import datetime as dt
from collections.abc import Mapping

from changke.facts.catalog.models import Category, Item
from changke.foundation.audit.kinds import Kind, leave_out, register
from changke.foundation.audit.rules import By, Values
from changke.profiles.affinity.models import Need, TagRule
from changke.profiles.affinity.services import needs
from changke.profiles.affinity.services.tag_rules import as_audited, save_rule


def _now(key: str) -> Values | None:
    rule = TagRule.objects.filter(pk=key).first()
    return as_audited(rule) if rule else None


def _restore(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    rule = TagRule.objects.get(pk=key)
    was = {**as_audited(rule), **values}
    save_rule(
        rule,
        name=str(was["name"]),
        occasion=str(was["occasion"]),
        item=Item.objects.filter(pk=str(was["item"])).first() if was["item"] else None,
        category=Category.objects.filter(pk=str(was["category"])).first() if was["category"] else None,
        tag=str(was["tag"]),
        is_active=bool(was["is_active"]),
        by=by,
        now=now,
    )


def _need_now(key: str) -> Values | None:
    need = Need.objects.filter(pk=key).first()
    return needs.as_audited(need) if need else None


def _restore_need(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    need = Need.objects.get(pk=key)
    was = {**needs.as_audited(need), **values}
    needs.save_need(
        need,
        tag=str(was["tag"]),
        item=Item.objects.filter(pk=str(was["item"])).first() if was["item"] else None,
        category=Category.objects.filter(pk=str(was["category"])).first() if was["category"] else None,
        by=by,
        now=now,
    )


register(Kind("tag_rule", ("profiles_tagrule",), "tags.manage", _now, _restore))
register(Kind("need", ("profiles_need",), "tags.manage", _need_now, _restore_need))
leave_out("profiles_proposal", "computed from facts")
leave_out("profiles_affinityfit", "computed from facts")
for _table in ("basis", "itemcount", "paircount", "startercount", "seasoncount", "groupcount", "favourite"):
    leave_out(f"profiles_{_table}", "computed from facts")
