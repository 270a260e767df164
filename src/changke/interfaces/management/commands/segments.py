from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changke.foundation.audit.rules import system
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import start_of_day
from changke.interfaces.management.base import ShopCommand
from changke.profiles.conditions import TextError
from changke.profiles.segments import moves, queries
from changke.profiles.segments.asking import Words, words_of_the_chain
from changke.profiles.segments.models import Segment, SegmentMember
from changke.profiles.segments.services.save import drop_segment, freeze, refused, save_segment

BY = system("changke segments")
SHOWN = 1_000
"""Members that are printed unless --most says otherwise."""


class Command(ShopCommand):
    help = (
        "The segments of the chain: list them with their counts, count a condition, print who is in one or was, who "
        "came and who went, save, freeze and drop. Without a word it lists."
    )
    example = "changke segments --count 'stage = silent and net_spend_365d >= 3000'"

    def arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--count", metavar="TEXT", help="how many a condition fits, without saving it")
        what.add_argument("--members", metavar="KEY", help="who is in it, by id, the most valuable first")
        what.add_argument("--moves", metavar="KEY", help="who came and who went, when and why, the oldest first")
        what.add_argument("--save", metavar="TEXT", help="save a condition under --name")
        what.add_argument("--freeze", metavar="TEXT", help="keep who fits now as a list under --name")
        what.add_argument("--drop", metavar="KEY", help="drop a segment; its customers stay, and who came and went")
        parser.add_argument("--name", default="", help="with --save or --freeze")
        parser.add_argument(
            "--at", type=date.fromisoformat, metavar="DAY", help="with --members: who was in it when this day ended"
        )
        parser.add_argument("--since", type=date.fromisoformat, metavar="DAY", help="with --moves: from this day on")
        parser.add_argument(
            "--most", type=int, default=SHOWN, metavar="N", help=f"with --members and --moves ({SHOWN:,})"
        )

    def run(self, *, count: str | None, members: str | None, name: str, most: int, **which: Any) -> dict[str, Any]:
        now, words = datetime.now(UTC), words_of_the_chain()
        if count is not None:
            return self._count(count, words, now)
        if members is not None:
            return self._members(_there(members), words, now, most, which["at"])
        if (key := which["moves"]) is not None:
            return self._moves(_there(key), which["since"], most)
        if (text := which["save"]) is not None:
            saved = save_segment(None, name=name, text=text, by=BY, now=now)
            self.say(f"saved as {saved.key}")
        if (text := which["freeze"]) is not None:
            saved = freeze(name=name, text=text, by=BY, now=now)
            self.say(f"frozen as {saved.key}")
        if (key := which["drop"]) is not None:
            drop_segment(_there(key), by=BY, now=now)
        return self._list(words_of_the_chain(), now)

    def _count(self, text: str, words: Words, now: datetime) -> dict[str, Any]:
        try:
            _, condition = words.read(text)
        except TextError as error:
            raise refused(error) from None
        found = queries.count(condition, words, now=now, scope=CHAIN_WIDE)
        total = queries.count(None, words, now=now, scope=CHAIN_WIDE)
        self.say(f"{found:,} of {total:,} customers")
        return {"customers": found, "total": total}

    def _members(self, one: Segment, words: Words, now: datetime, most: int, at: date | None) -> dict[str, Any]:
        if at is not None:
            at = min(at, now.date() + timedelta(days=1))  # who is in it after tomorrow nobody knows
            ends = start_of_day(at + timedelta(days=1), the_chain().time_zone) - timedelta(microseconds=1)
            inside = moves.inside_at(one, ends, scope=CHAIN_WIDE).order_by("customer_id")
            then = list(inside.values_list("customer_id", flat=True)[: max(0, most)])
            for pk in then:
                self.say(str(pk))
            return {"segment": one.key, "at": at.isoformat(), "customers": then}
        found = queries.sample(queries.condition_of(one, words), words, now=now, scope=CHAIN_WIDE, most=max(0, most))
        for pk in found:
            self.say(str(pk))
        return {"segment": one.key, "customers": found}

    def _moves(self, one: Segment, since: date | None, most: int) -> dict[str, Any]:
        moves.known_since(one)
        begin = start_of_day(since, the_chain().time_zone) if since else datetime(1970, 1, 1, tzinfo=UTC)
        told = []
        for move in moves.moves_of(one, scope=CHAIN_WIDE, since=begin, most=max(0, most)):
            way = "left" if move.left else "entered"
            self.say(f"{move.moment:%Y-%m-%d %H:%M:%S} UTC  {way:<7}  {move.customer_id:>9}  {move.why or '?'}")
            told.append(
                {"moment": move.moment.isoformat(), "move": way, "customer": move.customer_id, "why": move.why,
                 "version": move.version}
            )  # fmt: skip
        return {"segment": one.key, "moves": told}

    def _list(self, words: Words, now: datetime) -> dict[str, Any]:
        found = []
        for one in Segment.objects.all():
            customers: int | None
            if one.is_static:
                customers = SegmentMember.objects.filter(segment=one, left_at__isnull=True).count()
            else:
                try:
                    customers = queries.count(queries.condition_of(one, words), words, now=now, scope=CHAIN_WIDE)
                except queries.SegmentUnreadable:
                    customers = None
            kind = "frozen" if one.is_static else "followed" if one.is_tracked else "asked"
            shown = "?" if customers is None else f"{customers:,}"
            self.say(f"{one.key:<24} {kind:<9} {shown:>11}  {one.name}  {one.text}")
            found.append({"key": one.key, "name": one.name, "text": one.text, "kind": kind, "customers": customers})
        return {"segments": found}


def _there(key: str) -> Segment:
    one = Segment.objects.filter(key=key).first()
    if one is None:
        known = ", ".join(Segment.objects.values_list("key", flat=True)) or "none yet"
        raise CommandError(f"there is no segment {key}. Segments: {known}.")
    return one
