"""What a customer file would say of who brought whom, told before anything is written, is what the load then does."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from changke.facts.customers.models import Customer
from changke.facts.referrals.models import Referral
from changke.facts.referrals.services import name_referrer, take_off_referrer
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.pipeline import Outcome, SourceFile
from changke.interfaces.importers.referrers import Foreseen
from tests.interfaces.importers.conftest import NOW, Load
from tests.interfaces.importers.test_referrers import FILE, HEAD, customer, told

Write = Callable[..., Path]


def both(path: Path, **decisions: str) -> tuple[Foreseen, Outcome]:
    """What the check says of a file, and what its load then does."""
    batch = pipeline.start(
        [SourceFile(path, path.name)], kind="customers", store="JA", language="en", decisions=decisions, now=NOW
    )
    before = Referral.objects.count()
    seen = pipeline.analyse(batch.pk, now=NOW).referrals
    assert Referral.objects.count() == before, "a check writes no fact"
    assert seen is not None
    return seen, pipeline.run(batch.pk, now=NOW)


def test_who_is_new_and_who_names_nobody(stores: object, write: Write) -> None:
    seen, outcome = both(write(FILE))
    assert seen == Foreseen(named=3, unknown=1, impossible=1), "王五 is a name; K6 names herself"
    assert Referral.objects.filter(batch_id=outcome.batch).count() == 3


def test_a_file_without_the_column_says_nothing_of_it(stores: object, write: Write) -> None:
    path = write("会员编号,姓名\nK1,张三\n")
    batch = pipeline.start([SourceFile(path, path.name)], kind="customers", store="JA", now=NOW)
    assert pipeline.analyse(batch.pk, now=NOW).referrals is None


def test_what_is_known_already_and_what_the_shop_said_otherwise(load: Load, write: Write) -> None:
    load(FILE, "customers", name="first.csv")
    take_off_referrer(customer("K1").pk, now=NOW)
    name_referrer(customer("K4").pk, customer("K3").pk, now=NOW)
    seen, _ = both(write(FILE.replace("139 0000 0003", "K3")))
    assert seen == Foreseen(same=1, stays=2, unknown=1, impossible=1)


def test_rows_of_known_customers_do_what_was_decided_of_them(load: Load, write: Write) -> None:
    load(HEAD + "K1,张三,13900000001,,,\nK2,李四,13900000002,,,\n", "customers", name="first.csv")
    text = HEAD + "K1,张三,,,,K2\nK9,新人,13900000009,,,K1\n"
    seen, _ = both(write(text), **{"": "skip"})
    assert seen == Foreseen(named=1), "K1 stays as she is, and may be named all the same"
    seen, _ = both(write(text, "again.csv"), **{"": "update"})
    assert seen == Foreseen(named=1, same=1)


def test_two_rows_of_one_person_are_one(stores: object, write: Write) -> None:
    """The second has her phone alone, and says it again."""
    seen, _ = both(write(HEAD + "K1,张三,13900000001,,,\nK2,李四,13900000002,,,K1\n,李四,13900000002,,,K1\n"))
    assert seen == Foreseen(named=1)
    assert Referral.objects.count() == 1


def test_whoever_an_undone_load_knew_is_nobody_until_the_file_names_her(load: Load, write: Write) -> None:
    first = load(HEAD + "K1,张三,13900000001,,,\n", "customers", name="first.csv")
    pipeline.undo(first.batch, now=NOW)
    seen, _ = both(write(HEAD + "K2,李四,13900000002,,,K1\n"))
    assert seen == Foreseen(unknown=1)
    seen, _ = both(write(HEAD + "K3,王五,13900000003,,,K1\nK1,张三,13900000001,,,\n", "again.csv"))
    assert seen == Foreseen(named=1)


def invented(dice: random.Random, first: int, last: int) -> str:
    """Rows whose referrers are numbers, cards, phones, names and nobody at all; some rows come twice, or by phone."""
    rows = []
    for _ in range(30):
        one = dice.randint(first, last)
        other = dice.randint(first, last + 3)
        cell = dice.choice(
            ["", f"K{other}", f"C-{other}", f"139000000{other:02}", f"139 0000 00{other:02}", f"人{other}"]
        )
        number = "" if dice.random() < 0.2 else f"K{one}"
        card = f"C-{one}" if number and dice.random() < 0.5 else ""
        rows.append(f"{number},人{one},139000000{one:02},{card},,{cell}")
    return HEAD + "\n".join(rows) + "\n"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("decision", ["update", "merge", "skip", "refuse"])
def test_over_many_files_the_check_and_the_load_say_the_same(
    stores: object, write: Write, seed: int, decision: str
) -> None:
    dice = random.Random(seed)
    both(write(invented(dice, 1, 25), "first.csv"))
    known = list(Customer.objects.order_by("pk"))
    for one in dice.sample(known, 4):
        if Referral.objects.filter(customer=one, referrer__isnull=False).exists():
            take_off_referrer(one.pk, now=NOW)
    seen, outcome = both(write(invented(dice, 15, 40), "second.csv"), **{"": decision})
    reasons = Counter(
        next((code for code, words in SAID.items() if words in reason), "")
        for _, _, reason in (told(outcome) if outcome.error_file else [])
    )
    assert seen.named == Referral.objects.filter(batch_id=outcome.batch).count()
    assert (seen.unknown, seen.impossible) == (reasons["unknown"], reasons["herself"] + reasons["circle"])
    if decision == "update":  # who only fills what is empty is told of nothing that stays
        assert seen.stays == reasons["stays"]
    assert seen.told > 0


SAID = {
    "unknown": "this referrer was not found", "herself": "names herself", "circle": "she herself brought",
    "stays": "somebody of the shop said otherwise",
}  # fmt: skip
