"""Who is predicted what, by night and after a fact; and every shop gets an answer."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from changke.engine.prediction.fitted import Fitted
from changke.facts.customers.models import Customer
from changke.facts.customers.services.merge import merge
from changke.facts.purchases.models import Receipt
from changke.foundation.audit.models import AuditLine
from changke.foundation.batches.models import Batch
from changke.foundation.cursors import Cursor, open_window
from changke.foundation.database.append_only import current_xid
from changke.foundation.database.connections import conninfo
from changke.foundation.errors import Invalid
from changke.foundation.organisation.scope import Scope
from changke.profiles.lifecycle.services.mirror import open_mirror
from changke.profiles.lifecycle.services.some import refresh_customers
from changke.profiles.segments.asking import FROM, persons, question, words_of_the_chain
from changke.profiles.value.models import Prediction, ValueFit
from changke.profiles.value.persons import predicted
from changke.profiles.value.queries import current_fit, fitted, prediction_of, predictions
from changke.profiles.value.services.follow import follow
from changke.profiles.value.services.forget import forget_predictions
from changke.profiles.value.services.marks import CURSOR, UNDER_WAY, begin_everybody, everybody_in, predicted_from
from changke.profiles.value.services.predict import Predicted, predict_customers, predict_everybody
from changke.profiles.value.services.settings import change_value_rules
from tests.cast import NOW, TODAY, Cast, buys
from tests.profiles import world
from tests.profiles.value.night import told_apart

# The mirror reads over a connection of its own: the facts have to be committed.
pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = [field.name for field in Prediction._meta.concrete_fields if field.name not in {"snapshot", "fit"}]


Night = Callable[..., Predicted]


@pytest.fixture
def night(tmp_path: Path) -> Night:
    def run(now: dt.datetime = NOW, **options: bool) -> Predicted:
        with open_mirror(tmp_path / "mirror.duckdb") as (duck, copy):
            below = copy.sync(conninfo("reader")).read_below
            return predict_everybody(duck, snapshot=below, now=now, **options)

    return run


def test_by_night_everybody_who_bought_is_predicted(cast: Cast, night: Night) -> None:
    done = night()
    assert done.customers == done.written == 5  # Bai never bought anything
    assert prediction_of(cast.bai.pk) is None
    vera, lan = prediction_of(cast.vera.pk), prediction_of(cast.lan.pk)
    assert vera
    assert lan
    assert (vera.as_of, vera.horizon_days) == (TODAY, 90)
    assert vera.p_active_bp > lan.p_active_bp
    assert vera.p_active_low_bp <= vera.p_active_bp <= vera.p_active_high_bp <= 10_000
    assert vera.expected_spend_minor > lan.expected_spend_minor
    assert vera.spend_low_minor <= vera.expected_spend_minor <= vera.spend_high_minor
    assert done.fit
    assert "few" in set(done.fit.fallbacks.values())
    assert done.fit.holdout is None, "five customers examine nothing"


def test_a_second_night_writes_nothing_and_learns_nothing(cast: Cast, night: Night) -> None:
    first, second = night(), night()
    assert (second.written, second.is_new_fit) == (0, False)
    assert first.fit == second.fit == current_fit()
    assert night(anew=True).is_new_fit
    later = night(NOW + dt.timedelta(days=8))
    assert later.is_new_fit
    assert later.written == 5


def test_after_a_fact_she_gets_what_the_night_would_give_her(cast: Cast, night: Night) -> None:
    night()
    before = prediction_of(cast.mo.pk)
    buys(cast.mo, cast.facial, 58_800, on=TODAY, store=cast.jing_an, key="mo-again")
    assert follow(NOW) >= 1
    after = prediction_of(cast.mo.pk)
    assert before
    assert after
    assert after.p_active_bp > before.p_active_bp
    said = {name: getattr(after, name) for name in NUMBERS}
    assert night().written <= 1  # the snapshot alone is no change
    again = prediction_of(cast.mo.pk)
    assert said == {name: getattr(again, name) for name in NUMBERS}
    assert follow(NOW) == 0


def test_after_a_night_what_it_knew_counts_as_followed(cast: Cast, night: Night) -> None:
    assert predicted_from() == 0
    before = open_window(CURSOR).below
    night()
    assert predicted_from() >= before
    assert follow(NOW) == 0, "everybody was predicted by night"


def test_a_fact_that_the_night_did_not_know_is_followed_after_it(cast: Cast, tmp_path: Path) -> None:
    with open_mirror(tmp_path / "mirror.duckdb") as (duck, copy):
        below = copy.sync(conninfo("reader")).read_below
        buys(cast.bai, cast.facial, 58_800, on=TODAY, store=cast.jing_an, key="bai-first")
        predict_everybody(duck, snapshot=below, now=NOW)
        assert prediction_of(cast.bai.pk) is None
        assert predicted_from() == below
        assert follow(NOW) >= 1
        assert prediction_of(cast.bai.pk) is not None
        further = predicted_from()
        predict_everybody(duck, snapshot=below, now=NOW)
        assert predicted_from() == further, "an older night takes nothing back"


def test_after_a_restore_a_night_counts_anew(cast: Cast, night: Night) -> None:
    Cursor.objects.create(name=CURSOR, read_below=2**40)
    before = open_window(CURSOR).below
    night()
    assert before <= predicted_from() < 2**40
    buys(cast.mo, cast.facial, 58_800, on=TODAY, store=cast.jing_an, key="mo-again")
    assert follow(NOW) >= 1


def test_where_a_row_of_a_later_day_stays_its_facts_are_looked_at_again(cast: Cast, night: Night) -> None:
    night()
    before = predicted_from()
    Prediction.objects.filter(pk=cast.vera.pk).update(as_of=TODAY + dt.timedelta(days=1))
    buys(cast.vera, cast.facial, 58_800, on=TODAY, store=cast.jing_an, key="vera-again")
    night()
    assert predicted_from() == before
    assert follow(NOW + dt.timedelta(days=1)) >= 1


def test_every_night_says_that_everybodys_predictions_are_others(cast: Cast, night: Night) -> None:
    assert everybody_in() is None
    seen = set()
    for anew in (False, False, True):
        night(anew=anew)
        seen.add(everybody_in())
    assert len(seen - {None, UNDER_WAY}) == 3
    begin_everybody()
    assert everybody_in() == UNDER_WAY, "and says nothing while it writes"


def test_both_paths_say_the_same_of_a_whole_chain(night: Night) -> None:
    """By the chain's models, and with some of her store's own."""
    world.build(120, seed=5)

    def said() -> dict[int, dict]:
        return {one["customer_id"]: one for one in Prediction.objects.values(*NUMBERS, "customer_id")}

    fit = night(world.NOW).fit
    by_the_chain = said()
    assert fit
    told_apart(fit)
    night(world.NOW)
    by_night = said()
    Prediction.objects.all().delete()
    predict_customers(list(by_night), now=world.NOW)
    assert len(by_night) > 80
    assert said() == by_night
    homes = dict(Customer.objects.values_list("pk", "home_store"))
    of_their_own = {one.store for one in fitted(fit).stores.own}
    others = {pk for pk in by_night if by_night[pk] != by_the_chain[pk]}
    assert len(others) > 30
    assert others <= {pk for pk in by_night if homes[pk] in of_their_own}
    moved = next(pk for pk in by_night if homes[pk] is None and by_night[pk]["p_active_bp"] > 500)
    follow(world.NOW)
    Customer.objects.filter(pk=moved).update(home_store=min(of_their_own), txid=current_xid())
    assert follow(world.NOW) == 1, "who belongs to another store is another customer"
    after = said()
    assert after[moved] != by_night[moved]
    assert night(world.NOW).written == 0
    assert said() == after


def test_an_older_row_never_overwrites_a_newer(cast: Cast, night: Night) -> None:
    night()
    Prediction.objects.filter(pk=cast.vera.pk).update(as_of=TODAY + dt.timedelta(days=1), p_active_bp=1)
    night()
    assert Prediction.objects.get(pk=cast.vera.pk).p_active_bp == 1


def test_who_has_no_purchase_any_more_has_no_prediction(cast: Cast, night: Night) -> None:
    night()
    batch = Batch.objects.create(kind="load", created_at=NOW)
    Receipt.objects.filter(customer=cast.lan).update(withdrawn_by=batch, txid=current_xid())
    follow(NOW)
    assert prediction_of(cast.lan.pk) is None
    Receipt.objects.filter(customer=cast.ying).update(withdrawn_by=batch, txid=current_xid())
    night()
    assert prediction_of(cast.ying.pk) is None


def test_merged_records_are_one_person(cast: Cast, night: Night) -> None:
    night()
    before = prediction_of(cast.vera.pk)
    merge(cast.qiu.pk, cast.vera.pk, now=NOW)
    follow(NOW)
    after = prediction_of(cast.vera.pk)
    assert prediction_of(cast.qiu.pk) is None
    assert before
    assert after
    assert after.expected_purchases_milli != before.expected_purchases_milli
    night()
    assert Prediction.objects.count() == 4


def test_a_fit_is_kept_whole(cast: Cast, night: Night) -> None:
    fit = night().fit
    assert fit
    kept = fitted(ValueFit.objects.get(pk=fit.pk)).to_json()
    assert Fitted.from_json(kept).to_json() == kept
    with pytest.raises(ValueError, match="not a kept outlook"):
        Fitted.from_json("{}")


@pytest.mark.parametrize(
    "text",
    [
        "p_active >= 50",
        "not p_active >= 50",
        "expected_spend >= 100",
        "expected_purchases >= 1 and silent_days < 60",
        "value_year > 0 or silent_days > 100",
        "p_active is known",
        "p_active is unknown",
    ],
)
def test_conditions_ask_for_predictions(cast: Cast, night: Night, text: str) -> None:
    people = [one.pk for one in (cast.vera, cast.mo, cast.lan, cast.bai)]
    refresh_customers(people, now=NOW)
    night()
    words = words_of_the_chain()
    _, condition = words.read(text)
    asked = question(condition, words, today=TODAY)
    with connection.cursor() as sql:
        sql.execute(f"SELECT customer_id FROM {FROM} WHERE {asked.where}", asked.values)
        by_sql = {pk for (pk,) in sql.fetchall()}
    by_python = {pk for pk, row in persons(people, words, today=TODAY).items() if condition.holds(row)}
    assert by_sql == by_python
    assert by_sql, "nobody fits: it would not tell"


def test_a_store_sees_its_own(cast: Cast, night: Night) -> None:
    night()
    mine = set(predictions(Scope(frozenset({cast.xu_hui.pk}))).values_list("pk", flat=True))
    assert mine == {cast.lan.pk}
    assert predictions().count() == 5


def test_she_is_exported_and_forgotten(cast: Cast, night: Night) -> None:
    night()
    (row,) = predicted([cast.vera.pk])
    assert row["horizon_days"] == 90
    assert forget_predictions([cast.vera.pk]) == 1
    assert list(predicted([cast.vera.pk])) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"horizon_days": 6}, "horizon_days"),
        ({"horizon_days": None}, "horizon_days"),
        ({"horizon_days": True}, "horizon_days"),
        ({"margin_percent": 101}, "margin_percent"),
        ({"discount_percent": -1}, "discount_percent"),
        ({"calendar": "martian"}, "calendar"),
        ({"calendar": None}, "calendar"),
        ({"colour": 1}, "colour"),
    ],
)
def test_numbers_out_of_bounds_are_refused(cast: Cast, changes: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        change_value_rules(changes, now=NOW)
    assert field in str(refused.value)


def test_a_change_of_the_numbers_is_a_line_and_holds_from_the_next_night(cast: Cast, night: Night) -> None:
    night()
    before = prediction_of(cast.vera.pk)
    change_value_rules({"horizon_days": 30, "margin_percent": 40}, now=NOW)
    assert AuditLine.objects.filter(action="value_rules.changed").count() == 1
    done = night()
    after = prediction_of(cast.vera.pk)
    assert done.is_new_fit
    assert before
    assert after
    assert after.horizon_days == 30
    assert before.margin_bp
    assert after.margin_bp
    assert 4_000 < after.margin_bp < before.margin_bp, "hers as far as receipts say it, for the rest the chain's"
    lower = after.margin_bp / before.margin_bp
    assert after.value_year_minor == pytest.approx(before.value_year_minor * lower, rel=0.2)
    assert after.value_year_low_minor <= after.value_year_minor <= after.value_year_high_minor
    assert after.value_year_minor < after.worth_minor < 3 * after.value_year_minor


class TestEveryShopGetsAnAnswer:
    def test_an_empty_one(self, night: Night) -> None:
        world.make_chain()
        done = night(world.NOW)
        assert (done.customers, done.written) == (0, 0)
        assert done.fit
        assert set(done.fit.fallbacks.values()) >= {"empty"}

    @pytest.mark.parametrize("shop", ["one", "once", "one_day", "negative", "future", "outlier", "often"])
    def test_odd_ones(self, night: Night, shop: str) -> None:
        world.make_chain()
        (store,) = world.make_stores(1)
        book = world.Book()
        day = world.TODAY - dt.timedelta(days=200)
        people = [book.customer(store, day) for _ in range(1 if shop == "one" else 30)]
        receipts = []
        for number, person in enumerate(people):
            match shop:
                case "one" | "once":
                    receipts.append(book.receipt(person, store, day + dt.timedelta(days=number)))
                case "one_day":
                    receipts += [book.receipt(person, store, world.TODAY) for _ in range(3)]
                case "negative":
                    receipts.append(book.receipt(person, store, day, cash_minor=100))
                    receipts.append(book.receipt(person, store, day + dt.timedelta(days=9), "return", cash_minor=9_900))
                case "future":
                    receipts.append(book.receipt(person, store, world.TODAY + dt.timedelta(days=3)))
                case "outlier":
                    cash = 10**13 if number == 0 else 10_000
                    receipts += [
                        book.receipt(person, store, day + dt.timedelta(days=n * 20), cash_minor=cash) for n in (0, 1, 2)
                    ]
                case "often":
                    many = 150 if number == 0 else 2
                    receipts += [book.receipt(person, store, day + dt.timedelta(days=n)) for n in range(many)]
        Receipt.objects.bulk_create(receipts)
        done = night(world.NOW)
        assert done.customers == (0 if shop == "future" else len(people))
        assert Prediction.objects.filter(p_active_bp__lte=10_000).count() == done.customers
        assert predict_customers([one.pk for one in people], now=world.NOW) == done.customers
