import asyncio
import os
from typing import Any

from django.conf import settings
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from changke.interfaces.analytics import follow
from changke.interfaces.follower import Follower
from changke.interfaces.lifeline import follow_parent
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.trail import Sealer
from changke.interfaces.webhooks.services.process import process_some

CONCURRENCY = 2  # jobs move batches and are limited by the database, not by how many run at once
SHUTDOWN_SECONDS = 15


class Command(ShopCommand):
    help = "Do the background work: imports, nightly refresh, and profiles that follow the facts."
    example = "changke worker --data /srv/changke"
    prints_data = False

    def run(self, **options: Any) -> None:
        if "CHANGKE_CHILD" in os.environ:
            follow_parent()
        follower = Follower(settings.CONNECTIONS.app.conninfo, follow)
        hooks = Follower(settings.CONNECTIONS.app.conninfo, process_some)
        sealer = Sealer()
        follower.start()
        hooks.start()
        sealer.start()
        try:
            asyncio.run(_work())
        finally:
            sealer.stop()
            hooks.stop()
            follower.stop()


async def _work() -> None:
    assert isinstance(app.connector, DjangoConnector)
    with app.replace_connector(app.connector.get_worker_connector()) as working:
        async with working.open_async():
            await working.run_worker_async(concurrency=CONCURRENCY, shutdown_graceful_timeout=SHUTDOWN_SECONDS)
