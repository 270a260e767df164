import datetime as dt
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changke.foundation.access.models import Grant, OwnRole, Role, Sees, Staff
from changke.foundation.access.rights import role_of
from changke.foundation.access.services.grants import Giver, grant_role, take_back
from changke.foundation.audit.rules import system
from changke.foundation.organisation.models import Region, Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import start_of_day
from changke.interfaces.management.base import ShopCommand

GIVER = Giver(None, system("changke grants"))


class Command(ShopCommand):
    help = (
        "The roles people have beside their position: list them, give one on the chain, a region or a store, take one "
        "back. Without a word it lists."
    )
    example = "changke grants --give manager --to chen --store JA --sees visited --until 2026-12-31"

    def arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--give", metavar="ROLE", help=f"{', '.join(Role.values)}, or a role of your own by its name")
        what.add_argument("--take", type=int, metavar="NUMBER", help="take back the role of this number in the list")
        parser.add_argument("--to", metavar="USERNAME", help="the log-in name; when listing, only hers")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--store", metavar="CODE", help="with --give: on this store; else on the chain")
        where.add_argument("--region", metavar="NAME", help="with --give: on this region and all below it")
        parser.add_argument(
            "--sees", choices=Sees.values, default=Sees.HOME,
            help="with --give: whom of the place: at home there; also who bought or was served there; only one's own",
        )  # fmt: skip
        parser.add_argument("--until", type=dt.date.fromisoformat, metavar="DAY", help="with --give: its last day")

    def run(self, *, give: str | None, take: int | None, to: str | None, **options: Any) -> dict[str, Any]:
        if take is not None:
            return self._take(take)
        if give is None:
            return self._list(to)
        if to is None:
            raise CommandError("say to whom: --to USERNAME")
        now, last = datetime.now(UTC), options["until"]
        grant = grant_role(
            _somebody(to),
            _role(give),
            node=_node(options["store"], options["region"]),
            sees=options["sees"],
            until=None if last is None else start_of_day(last + dt.timedelta(days=1), the_chain().time_zone),
            giver=GIVER,
            now=now,
        )
        self.say(_said(grant))
        return _told(grant)

    def _take(self, number: int) -> dict[str, Any]:
        grant = Grant.objects.filter(pk=number).select_related("staff", "key", "own_role", "region", "store").first()
        if grant is None:
            raise CommandError(f"there is no role {number}: `changke grants` lists them")
        if grant.standing:
            raise CommandError("this one follows from the position: change that on the page of staff")
        told = _told(grant)
        take_back(grant, giver=GIVER, now=datetime.now(UTC))
        self.say(f"taken back: {_said_of(told)}")
        return told

    def _list(self, to: str | None) -> dict[str, Any]:
        rows = Grant.objects.select_related("staff", "key", "own_role", "region", "store").order_by("pk")
        if to is not None:
            rows = rows.filter(staff=_somebody(to))
        for grant in rows:
            self.say(_said(grant))
        return {"grants": [_told(grant) for grant in rows]}


def _somebody(username: str) -> Staff:
    person = Staff.objects.filter(username__iexact=username, is_active=True).first()
    if person is None:
        raise CommandError(f"nobody who works here has the log-in name {username}")
    return person


def _role(name: str) -> str | OwnRole:
    if name in Role.values:
        return name
    own = OwnRole.objects.filter(name__iexact=name).first()
    if own is None:
        known = ", ".join([*Role.values, *OwnRole.objects.order_by("name").values_list("name", flat=True)])
        raise CommandError(f"there is no role {name}: choose one of {known}")
    return own


def _node(store: str | None, region: str | None) -> Region | Store | None:
    if store is not None:
        found = Store.objects.filter(code=store).first()
        if found is None:
            raise CommandError(f"there is no store {store}")
        return found
    if region is None:
        return None
    named = list(Region.objects.filter(name=region)[:2])
    if len(named) != 1:
        raise CommandError(f"there is no region {region}" if not named else f"several regions are called {region}")
    return named[0]


def _told(grant: Grant) -> dict[str, Any]:
    node = grant.region or grant.store
    return {
        "grant": grant.pk,
        "to": grant.staff.username if grant.staff else f"key {grant.key.name if grant.key else ''}",
        "role": str(role_of(grant)),
        "on": "chain" if node is None else f"{'region' if grant.region_id else 'store'} {node.name}",
        "sees": grant.sees,
        "until": grant.until,
        "position": grant.standing,
    }


def _said(grant: Grant) -> str:
    return _said_of(_told(grant))


def _said_of(told: dict[str, Any]) -> str:
    ends = "" if told["until"] is None else f", until {told['until']:%Y-%m-%d %H:%M} UTC"
    follows = " (position)" if told["position"] else ""
    return f"{told['grant']:>6}  {told['to']}: {told['role']} on {told['on']}, sees {told['sees']}{ends}{follows}"
