"""A load is written by the role of the site, behind row-level security, as a worker does it for the whole chain."""

import threading
from contextvars import ContextVar

import pytest
from django.db import connections

from changke.facts.consents.models import Consent
from changke.facts.fields.models import FieldValue
from changke.facts.fields.services import define
from changke.facts.purchases.models import Line, Receipt
from changke.foundation.database import rows_seen
from changke.foundation.database.threads import side_by_side
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces.importers.undo import undo
from tests.interfaces.importers.conftest import NOW, Load, counts
from tests.rows import APP, become, roles

__all__ = ["roles"]

SALES = "单号,日期,会员手机号,项目,金额\nA-1,2026-02-01,13900000001,补水,288\nA-2,2026-02-02,13900000002,艾灸,188\n"


def test_purchases_and_customers_go_in_and_out_behind_the_net(roles: None, load: Load) -> None:
    become(APP)
    with rows_seen.seeing(CHAIN_WIDE):
        first = load(SALES, create=True)
        assert counts(first) == (2, 0, 0, 0)
        assert counts(load(SALES + "A-3,2026-02-03,13900000001,补水,288\n", create=True)) == (1, 0, 2, 0)
        assert counts(load("手机号,城市\n13900000001,上海\n", "customers")) == (0, 1, 0, 0)
        define(key="skin", kind="text", labels={"zh-hans": "肤质"}, now=NOW)
        own = load("手机号,肤质,短信营销同意\n13900000001,干性,是\n", "customers")
        assert counts(own) == (0, 1, 0, 0)
        undo(own.batch, now=NOW)
        assert not FieldValue.objects.exclude(text=None).exists()
        assert not Consent.objects.filter(withdrawn_by=None).exists()
        assert Receipt.objects.count() == Line.objects.count() == 3
        undo(first.batch, now=NOW)
        assert Receipt.objects.filter(withdrawn_by=None).count() == 1


SEEN: ContextVar[str] = ContextVar("seen", default="nobody")


@pytest.mark.django_db(transaction=True)
def test_a_thread_of_a_load_sees_whose_rows_its_load_sees() -> None:
    SEEN.set("the chain")
    found = list(side_by_side(lambda chunk: (SEEN.get(), threading.current_thread().name, chunk), range(6)))
    assert [chunk for _, _, chunk in found] == list(range(6))
    assert {seen for seen, _, _ in found} == {"the chain"}
    assert all(name.startswith("chunk") for _, name, _ in found)
    connections.close_all()
