"""A chain in which every page has something to show, and the address of each page in it."""

import datetime as dt
import re
from typing import Any

from changke.facts.catalog.models import Category
from changke.facts.fields.models import Field
from changke.facts.scores.models import Score
from changke.foundation.access.services import add_staff
from changke.foundation.audit.rules import HOUSE
from changke.foundation.organisation.models import Region
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.permissions import pages
from changke.interfaces.webhooks.models import WebhookAddress
from changke.interfaces.webhooks.services.addresses import make_address
from changke.profiles.affinity.models import Need, TagRule
from changke.profiles.affinity.services.needs import save_need
from changke.profiles.affinity.services.tag_rules import save_rule
from changke.profiles.lifecycle.services import bring_into_use, publish_models
from changke.profiles.risk import rules
from changke.profiles.risk.models import ChurnWarning
from changke.profiles.risk.services.choose import use
from changke.profiles.segments.services.save import save_segment
from tests.cast import NOW, TODAY, Cast
from tests.interfaces.together import counted
from tests.interfaces.web.test_stage_model_of_ones_own import MINE
from tests.one_of_each import everything_about
from tests.profiles.value.night import a_night

LONG_NAME = "十二月里来过的、喜欢“深层补水”又好久没来的敏感肌老客 🌸"
"""A name as people type them: long, with quotes and with a picture in it."""


def fill(cast: Cast) -> None:
    """What the services and the nights would have written, once."""
    publish_models(the_chain(), now=NOW)
    bring_into_use(MINE, chain=the_chain(), now=NOW)
    counted(cast)
    everything_about(cast, cast.mo, cast.jing_an, "x", by=cast.owner)
    a_night(NOW)
    save_segment(None, name=LONG_NAME, key="long", text='tag has "tag x" and visits >= 1', now=NOW)
    save_segment(None, name="买过的", key="bought", text="purchases >= 1", now=NOW)
    rule = use(rules.Wanted("fixed", 55), now=NOW)
    ChurnWarning.objects.create(
        customer=cast.mo, silent_since=TODAY - dt.timedelta(days=61), rule=rule, opened_on=TODAY, opened_at=NOW,
        purchases=6, outlook_then_bp=7_100, outlook_opened_bp=1_800, outlook_bp=1_800, expected_on=TODAY,
        value_at_risk_minor=352_800,
    )  # fmt: skip
    save_need(None, tag="补水需求", item=cast.facial, category=None, now=NOW)
    save_rule(None, name="首单补水", occasion="first_order", item=cast.facial, category=None, tag="补水", now=NOW)
    make_address(source="standard", name="收银台", created_by=cast.owner, by=HOUSE, now=NOW)
    add_staff(username="view", name="分析", role="analyst", password="jade-river-26", now=NOW)


BESIDES = {
    "login": "for whom is not in yet: test_shell.py",
    "login-code": "the same: test_login.py",
    "reset": "the same: test_login.py",
    "device": "the same: test_login.py",
    "setup": "before there is a chain: test_shell.py",
    "member": "a customer's own page: test_privacy.py",
    "styleguide": "test_shell.py",
    "customer-photo": "a picture",
    "settings-key-roles": "a key, which is shown once: as settings-person-roles",
    "settings-tag-group": "as settings-tag-group-new",
    "settings-role": "as settings-role-new",
    "lifecycle-past": "a part of the editor, about one question: tests/interfaces/web/test_stage_models.py",
    "webhook-request": "what a provider sent: tests/interfaces/webhooks",
}
"""Addresses that the walk leaves out, and why. Whoever adds a page need do nothing: it is in."""
NEED_A_BATCH = ("batch_id", "export_id", "line_id")
"""Addresses about one load, file or line of the trail: test_imports.py, test_many_customers.py, test_customers.py."""


def addresses(cast: Cast) -> dict[str, str]:
    """Name -> address of everything that answers GET, filled with somebody or something that is there."""
    ids: dict[str, Any] = {
        "customer_id": cast.mo.pk, "store_id": cast.jing_an.pk, "staff_id": cast.clerk.pk, "item_id": cast.facial.pk,
        "category_id": Category.objects.earliest("pk").pk, "region_id": Region.objects.earliest("pk").pk,
        "need_id": Need.objects.earliest("pk").pk, "rule_id": TagRule.objects.earliest("pk").pk,
        "field_id": Field.objects.earliest("pk").pk, "score_id": Score.objects.earliest("pk").pk,
        "address_id": WebhookAddress.objects.earliest("pk").pk,
    }  # fmt: skip
    keys = {"lifecycle": "mine", "segments": "long", "numbers": "net_spend"}
    asked = {"lifecycle-people": "?model=mine&stage=rest", "value-people": "?r=1&f=1"}

    def filled(path: str) -> str:
        key = keys.get(path.split("/")[1])
        return re.sub(r"<\w+:(\w+)>", lambda part: str(ids.get(part[1]) or key), path)

    return {
        door.name: filled(door.path) + asked.get(door.name, "")
        for door in pages()
        if door.method == "GET"
        and door.name not in BESIDES
        and not any(one in door.path for one in NEED_A_BATCH)
        and not door.path.startswith("/hooks/")
    }
