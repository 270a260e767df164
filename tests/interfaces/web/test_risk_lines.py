"""Lines of services as pages: what their past says, which of them warn, and whom they warn of."""

import datetime as dt

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.foundation.organisation.scope import Scope
from changke.interfaces.exporters import services as _registered  # noqa: F401 -- sets of rows register themselves
from changke.interfaces.exporters.shape import DATASETS, Ask
from changke.profiles.risk import rules
from changke.profiles.risk.models import ChurnWarning, ServiceLine
from changke.profiles.risk.queries import rule_in_use
from changke.profiles.risk.services.choose import use, use_none
from tests.cast import NOW, TODAY, Cast, know_everybody
from tests.clock import Clock
from tests.interfaces.web.test_risk import text

pytestmark = pytest.mark.django_db
PAGE = "/risk/lines/"
JUDGED = {
    "kind": "outlook", "threshold": 6_200, "latest_days": 56, "chosen_by": "fixed_56", "usable": True,
    "precision_bp": 6_960, "recall_bp": 10_000, "lead_days": 110, "false_per_100": 15, "weekly_tenths": 4,
}  # fmt: skip


@pytest.fixture
def line(cast: Cast) -> ServiceLine:
    return ServiceLine.objects.create(
        category=cast.facial.category, learned_on=TODAY, cycle_days=28, threads=1_204, latest_days=56, horizon_days=56,
        lapse_days=112, minimum_silence_days=28, threshold_bp=6_200, signal_auc_bp=7_400, rows=[JUDGED],
    )  # fmt: skip


@pytest.fixture
def hq(client: Client, cast: Cast, line: ServiceLine, monkeypatch: pytest.MonkeyPatch) -> Client:
    Clock(monkeypatch, NOW)
    know_everybody()
    rule = use(rules.Wanted("fixed", 120, per_line=True), now=NOW)
    for customer, money in ((cast.mo, 352_800), (cast.lan, 28_800)):
        ChurnWarning.objects.create(
            customer=customer, line=line, silent_since=TODAY - dt.timedelta(days=61), rule=rule, opened_on=TODAY,
            opened_at=NOW, purchases=6, gap_days=22, outlook_then_bp=8_100, outlook_opened_bp=4_400, outlook_bp=4_400,
            expected_on=dt.date(2026, 1, 26), value_at_risk_minor=money, fired_by="latest",
        )  # fmt: skip
    client.force_login(cast.hq)
    return client


def test_the_list_says_what_she_has_let_go_and_what_to_do(hq: Client, cast: Cast, line: ServiceLine) -> None:
    page = text(hq, "/risk/")
    for said in (
        "面部护理：以往约 22 天一次，如今 61 天没做，人还在来",
        "44%",
        "已满 56 天",
        "邀她再做一次",
        "¥3,528",
    ):
        assert said in page, said
    assert "莫愁" in text(hq, f"/risk/?line={line.pk}")
    assert "莫愁" not in text(hq, "/risk/?line=whole")
    assert "莫愁" in text(hq, "/risk/?line=-1"), "an address that says it wrongly asks for nothing"
    assert "面部护理：以往约 22 天一次" in text(hq, f"/customers/{cast.mo.pk}/outlook/")


def test_the_day_names_her_once_whatever_she_let_go(hq: Client, cast: Cast) -> None:
    other = ServiceLine.objects.create(item=cast.facial, learned_on=TODAY, cycle_days=14, latest_days=28)
    first = ChurnWarning.objects.get(customer=cast.mo)
    first.pk, first.line, first.value_at_risk_minor = None, other, 1_000
    first.save(force_insert=True)
    page = text(hq, "/")
    assert page.count("面部护理：以往约 22 天一次") == 1
    assert "邀她再做一次" in page


def test_a_tap_answers_with_the_row_that_was_tapped(hq: Client, cast: Cast) -> None:
    one = ChurnWarning.objects.get(customer=cast.mo)
    words = {"outcome": "done", "after": "0", "warning": str(one.pk)}
    part = hq.post(f"/risk/customers/{cast.mo.pk}/", words, headers={"HX-Request": "true"}).content.decode()
    assert f'id="warning-{one.pk}"' in part
    assert "面部护理" in part
    wrong = {**words, "warning": "9" * 30}
    assert hq.post(f"/risk/customers/{cast.mo.pk}/", wrong, headers={"HX-Request": "true"}).status_code == 200


def test_a_store_sees_those_of_its_own_customers(hq: Client, cast: Cast) -> None:
    hq.force_login(cast.manager)
    page = text(hq, "/risk/")
    assert "莫愁" in page
    assert "岚岚" not in page


def test_the_export_names_the_line(hq: Client) -> None:
    rows = list(DATASETS["warnings"].rows(Ask(Scope(None), "")))
    assert {row[1]: row[6] for row in rows} == {"莫愁": "面部护理", "岚岚": "面部护理"}


def test_the_page_says_when_each_warns_and_how_it_did(hq: Client, line: ServiceLine) -> None:
    page = text(hq, PAGE)
    for said in ("面部护理", "通常 28 天一次", "可能性低于 62%，最迟满 56 天", "1,204 位客户", "1 个品类会提醒", "70%"):
        assert said in page, said
    ServiceLine.objects.filter(pk=line.pk).update(refused="no_signal")
    assert "看不出谁会不再做" in text(hq, PAGE)
    ServiceLine.objects.all().delete()
    assert "还没有评估过任何品类" in text(hq, PAGE)


def test_all_and_one_are_switched_off_and_on(hq: Client, line: ServiceLine) -> None:
    hq.post(f"{PAGE}switch/", {"on": "0"})
    standing = rule_in_use()
    assert standing is not None
    assert not standing.per_line
    assert not ProcrastinateJob.objects.filter(task_name="refresh_everybody").exists()
    hq.post(f"{PAGE}switch/", {"on": "1"})
    assert ProcrastinateJob.objects.filter(task_name="refresh_everybody").count() == 1
    hq.post(f"{PAGE}{line.pk}/", {"on": "0"})
    assert not ServiceLine.objects.get(pk=line.pk).is_on
    assert "已关闭" in text(hq, PAGE) or "关闭" in text(hq, PAGE)
    hq.post(f"{PAGE}{line.pk}/", {"on": "1"})
    assert ServiceLine.objects.get(pk=line.pk).is_on
    assert hq.post(f"{PAGE}999999/", {"on": "1"}).status_code == 404


def test_without_a_rule_there_is_nothing_to_switch(hq: Client) -> None:
    use_none(now=NOW)
    assert "还没有启用预警规则" in text(hq, PAGE)
    assert hq.post(f"{PAGE}switch/", {"on": "1"}).status_code == 409


def test_who_may_not_change_settings_may_look(hq: Client, cast: Cast, line: ServiceLine) -> None:
    hq.force_login(cast.manager)
    assert hq.post(f"{PAGE}switch/", {"on": "0"}).status_code == 403
    assert hq.post(f"{PAGE}{line.pk}/", {"on": "0"}).status_code == 403
    assert "面部护理" in text(hq, PAGE)
