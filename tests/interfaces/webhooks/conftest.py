"""A chain with an address for each source; the shops' branches are known as stores."""

from collections.abc import Iterator

import pytest

from changke.foundation.audit.rules import By
from changke.interfaces.webhooks.models import WebhookAddress
from changke.interfaces.webhooks.services import receive
from changke.interfaces.webhooks.services.addresses import make_address, map_place
from changke.interfaces.webhooks.services.process import process_some
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW
from tests.interfaces.webhooks.senders import Own, Shopify, Youzan
from tests.rows import as_app, roles

__all__ = ["as_app", "roles"]

BY = By("system", None, "tests")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    receive.forget_known()
    yield
    receive.forget_known()


@pytest.fixture
def shopify(cast: Cast) -> Shopify:
    address, _ = make_address(
        source="shopify", name="网店", secret="shpss_secret", created_by=cast.owner, by=BY, now=NOW
    )
    map_place(address, "905684977", cast.jing_an, by=BY, now=NOW)
    return Shopify(address.path)


@pytest.fixture
def youzan(cast: Cast) -> Youzan:
    address, _ = make_address(
        source="youzan", name="有赞", secret="CSECRET", client_id="CID", created_by=None, by=BY, now=NOW
    )
    map_place(address, "41", cast.jing_an, by=BY, now=NOW)
    return Youzan(address.path)


@pytest.fixture
def own(cast: Cast) -> Own:
    address, secret = make_address(source="standard", name="收银", created_by=None, by=BY, now=NOW)
    return Own(address.path, secret)


def address_of(sender: Shopify | Youzan | Own) -> WebhookAddress:
    return WebhookAddress.objects.get(path=sender.path)


def work() -> None:
    """The worker has had its turn."""
    while process_some(NOW):
        pass
