"""The invented chain: the same from the same seed, possible in a real shop, and true to its own truth."""

import ast
import json
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import changke.engine.synthetic as synthetic
from changke.engine.synthetic import MISSING, Table, World, invent
from changke.engine.synthetic.tables import Flags, Integers

TODAY = date(2026, 11, 21)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def world() -> World:
    return invent(7, today=TODAY, customers=3000)


@cache
def small(seed: int = 1, **wishes: object) -> World:
    return invent(seed, **{"today": TODAY, "customers": 300, **wishes})  # type: ignore[arg-type]


def of(world: World, *kinds: str) -> Flags:
    """The receipts of these kinds."""
    return np.isin(world.receipts.kind, kinds)


def per(positions: Integers, amounts: Integers, size: int) -> Integers:
    """Amounts summed by the row they belong to."""
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, positions, amounts)
    return sums


def local_minutes(world: World, table: str) -> Integers:
    """Minutes of the local day at which things happened."""
    rows = getattr(world, table)
    return np.array(
        [
            local.hour * 60 + local.minute
            for moment, store in zip(rows.happened_at.tolist(), rows.store.tolist(), strict=True)
            for local in [moment.replace(tzinfo=UTC).astimezone(ZoneInfo(world.stores.time_zone[store]))]
        ],
        dtype=np.int64,
    )


class TestTheSameSeed:
    def test_gives_the_same_world_bit_for_bit(self) -> None:
        one, two = small(), invent(1, today=TODAY, customers=300)
        for name, table in one.tables().items():
            for column, values in table.columns().items():
                same = getattr(two.tables()[name], column)
                assert values.tobytes() == same.tobytes() if isinstance(values, np.ndarray) else values == same, column

    def test_another_seed_gives_another_world(self) -> None:
        assert small(1).customers.name != small(2).customers.name
        assert small(1).receipts.cash_minor.sum() != small(2).receipts.cash_minor.sum()

    def test_the_world_is_as_large_as_asked(self) -> None:
        world = small(customers=120, stores=3, years=1)
        assert (len(world.customers), len(world.stores), len(world.regions)) == (120, 3, 3)
        assert world.first_day == date(2025, 11, 21)
        assert set(world.stores.region.tolist()) == {0, 1, 2}

    def test_a_larger_chain_than_we_have_names_for_gets_second_stores(self) -> None:
        stores = small(stores=30).stores
        assert len(set(stores.name)) == len(set(stores.code)) == 30

    def test_a_day_that_is_not_over_has_no_evening_yet(self) -> None:
        noon = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
        whole, half = small(customers=3000), small(customers=3000, until=noon)
        for table in ("receipts", "visits", "events"):
            moments = getattr(half, table)
            assert moments.happened_at.max() <= np.datetime64("2026-11-21T06:00"), table
            assert moments.recorded_at.max() <= np.datetime64("2026-11-21T06:00"), table
        morning = set(half.visits.source_key)
        assert morning < set(whole.visits.source_key)
        assert (half.visits.business_date == np.datetime64(TODAY)).any()


class TestTheTables:
    def test_columns_of_a_table_are_equally_long_and_references_lead_somewhere(self, world: World) -> None:
        targets = {
            "region": world.regions, "store": world.stores, "home_store": world.stores, "staff": world.staff,
            "adviser": world.staff, "first_adviser": world.staff, "category": world.categories, "item": world.items,
            "service": world.items, "need": world.items, "customer": world.customers, "receipt": world.receipts,
            "original": world.receipts,
        }  # fmt: skip
        for name, table in world.tables().items():
            assert {len(values) for values in table.columns().values()} == {len(table)}, name
            for column, values in table.columns().items():
                if column in targets:
                    present = values[values != MISSING]
                    assert ((present >= 0) & (present < len(targets[column]))).all(), (name, column)

    def test_rows_are_plain_values_ready_to_copy(self, world: World) -> None:
        for table in world.tables().values():
            assert isinstance(table, Table)
            kinds = {type(value) for row in table.rows() for value in row}
            assert kinds <= {int, float, str, bool, tuple, date, datetime, type(None)}
        assert all(row is None or row >= 0 for row in world.receipts.values()["customer"])

    def test_keys_and_numbers_never_repeat(self, world: World) -> None:
        for table in (world.customers, world.receipts, world.visits, world.openings, world.events):
            assert len(set(table.source_key)) == len(table)
        assert len(set(world.receipts.number)) == len(world.receipts)
        phones = [phone for phone in world.customers.phone + world.staff.phone if phone]
        assert len(set(phones)) == len(phones)
        assert all(len(phone) == 14 and phone.startswith("+861") for phone in phones)

    def test_the_truth_has_a_row_for_everybody(self, world: World) -> None:
        assert len(world.truth) == len(world.customers) == 3000


class TestTime:
    def test_nothing_happens_on_a_closed_day(self, world: World) -> None:
        for table in (world.receipts, world.visits):
            weekdays = (table.business_date.astype(np.int64) + 3) % 7 + 1
            opening = world.stores.opening_days
            assert all(
                day in opening[store] for day, store in zip(weekdays.tolist(), table.store.tolist(), strict=True)
            )
            assert not np.isin(table.business_date, world.closed_days).any()
            assert (table.business_date >= world.stores.opened_on[table.store]).all()
            assert (table.business_date >= np.datetime64(world.first_day)).all()
            assert (table.business_date <= np.datetime64(TODAY)).all()
        assert any(len(days) == 6 for days in world.stores.opening_days)

    @pytest.mark.parametrize("table", ["receipts", "visits"])
    def test_everything_happens_in_opening_hours(self, world: World, table: str) -> None:
        minutes, store = local_minutes(world, table), getattr(world, table).store
        assert (minutes >= world.stores.opens_at_minute[store]).all()
        assert (minutes < world.stores.closes_at_minute[store]).all()

    def test_the_business_date_is_the_local_one_also_far_in_the_west(self, world: World) -> None:
        assert set(world.stores.time_zone) == {"Asia/Shanghai", "Asia/Urumqi"}
        for moment, day, store in list(
            zip(
                world.receipts.happened_at.tolist(),
                world.receipts.business_date.tolist(),
                world.receipts.store.tolist(),
                strict=True,
            )
        )[::17]:
            assert moment.replace(tzinfo=UTC).astimezone(ZoneInfo(world.stores.time_zone[store])).date() == day

    def test_two_in_a_hundred_receipts_are_recorded_days_later_and_none_before_they_happened(
        self, world: World
    ) -> None:
        delay = world.receipts.recorded_at - world.receipts.happened_at
        assert (delay >= np.timedelta64(0)).all()
        assert 0.01 < (delay > np.timedelta64(12, "h")).mean() < 0.03
        assert world.receipts.recorded_at.max() <= np.datetime64(world.until.replace(tzinfo=None))

    def test_staff_serve_only_while_they_are_employed(self, world: World) -> None:
        assert (~np.isnat(world.staff.left_on)).any()
        for table in (world.receipts, world.visits):
            assert (table.business_date >= world.staff.joined_on[table.staff]).all()
            left = world.staff.left_on[table.staff]
            assert (np.isnat(left) | (table.business_date < left)).all()

    def test_spring_festival_is_quiet_and_the_weeks_before_it_are_full(self, world: World) -> None:
        def per_day(first: str, last: str) -> float:
            days = world.visits.business_date
            inside = (days >= np.datetime64(first)) & (days <= np.datetime64(last))
            return float(inside.sum()) / int((np.datetime64(last) - np.datetime64(first)).astype(int) + 1)

        ordinary = per_day("2026-03-20", "2026-04-30")
        assert per_day("2026-02-14", "2026-02-28") < 0.6 * ordinary  # New Year's day was 17 February
        assert per_day("2026-01-26", "2026-02-12") > 1.1 * ordinary
        assert per_day("2026-06-10", "2026-06-19") > 1.1 * per_day("2026-05-20", "2026-06-05")
        assert per_day("2026-11-01", "2026-11-12") > 1.15 * per_day("2026-10-08", "2026-10-28")

    def test_plasters_for_the_dog_days_are_sold_in_the_dog_days_alone(self, world: World) -> None:
        plaster = world.items.name.index("三伏贴")
        days = world.receipts.business_date[world.lines.receipt[world.lines.item == plaster]]
        assert len(days) > 20
        assert {f"{day:%m}" for day in days.tolist()} == {"07", "08"}


class TestMoney:
    def test_tenders_add_up_to_the_lines(self, world: World) -> None:
        size = len(world.receipts)
        paid = per(world.tenders.receipt, world.tenders.amount_minor, size)
        assert (paid == per(world.lines.receipt, world.lines.amount_minor, size)).all()
        assert (world.tenders.amount_minor > 0).all()

    def test_cash_is_what_came_in_and_consumption_what_was_rendered(self, world: World) -> None:
        size = len(world.receipts)
        real = ~np.isin(world.tenders.kind, ["stored_value", "session"])
        prepaid = np.isin(np.array(world.items.kind)[world.lines.item], ["card", "topup"])
        assert (
            world.receipts.cash_minor == per(world.tenders.receipt[real], world.tenders.amount_minor[real], size)
        ).all()
        rendered = per(world.lines.receipt[~prepaid], world.lines.amount_minor[~prepaid], size)
        assert (world.receipts.consumed_minor == rendered).all()
        assert (
            world.receipts.margin_minor[world.receipts.margin_minor != MISSING]
            <= np.maximum(world.receipts.consumed_minor, 0)[world.receipts.margin_minor != MISSING]
        ).all()

    def test_a_use_is_paid_by_a_card_or_a_stored_value_alone(self, world: World) -> None:
        use = of(world, "use")
        assert (world.receipts.cash_minor[use] == 0).all()
        assert (world.receipts.consumed_minor[use] > 0).all()

    def test_the_basis_says_where_profit_comes_from_and_admits_when_nobody_knows(self, world: World) -> None:
        basis = np.array(world.receipts.margin_basis)
        assert set(basis) == {"cost", "percent", "mixed", "unknown"}
        assert ((world.receipts.margin_minor == MISSING) == (basis == "unknown")).all()

    def test_a_return_comes_after_its_sale_and_takes_back_no_more_than_was_paid(self, world: World) -> None:
        receipts = world.receipts
        back = np.nonzero(of(world, "return") & (receipts.original != MISSING))[0]
        sale = receipts.original[back]
        assert len(back) > 20
        assert {receipts.kind[position] for position in sale.tolist()} == {"sale"}
        assert (receipts.happened_at[back] > receipts.happened_at[sale]).all()
        assert (receipts.customer[back] == receipts.customer[sale]).all()
        assert (receipts.store[back] == receipts.store[sale]).all()  # number and store lead a return to its sale
        assert [receipts.number[position] for position in sale.tolist()] == [
            receipts.original_number[b] for b in back.tolist()
        ]
        for column in ("cash_minor", "consumed_minor"):
            given_back = per(sale, getattr(receipts, column)[back], len(receipts))
            assert (given_back[sale] <= getattr(receipts, column)[sale]).all()

    def test_some_returns_know_their_sale_only_by_the_number_of_the_old_system(self, world: World) -> None:
        alone = np.nonzero(of(world, "return") & (world.receipts.original == MISSING))[0]
        assert len(alone)
        assert all(world.receipts.original_number[position].startswith("OLD-") for position in alone.tolist())

    def test_no_card_is_used_more_often_than_its_sessions_nor_a_stored_value_beyond_its_balance(
        self, world: World
    ) -> None:
        sessions, balance = Counter[tuple[int, int]](), Counter[int]()
        receipts, items = world.receipts, world.items
        kinds = dict(
            zip(
                zip(world.tenders.receipt.tolist(), world.tenders.kind, strict=True),
                world.tenders.amount_minor.tolist(),
                strict=True,
            )
        )
        cards_used = 0
        for receipt, item in zip(world.lines.receipt.tolist(), world.lines.item.tolist(), strict=True):
            customer, is_return = int(receipts.customer[receipt]), receipts.kind[receipt] == "return"
            match items.kind[item]:
                case "card":
                    service = (customer, int(items.service[item]))
                    sessions[service] = 0 if is_return else sessions[service] + int(items.sessions[item])
                case "topup" if is_return:
                    balance[customer] = 0
                case "topup":
                    balance[customer] += int(items.price_minor[item] + items.bonus_minor[item])
                case "service" if (receipt, "session") in kinds:
                    sessions[customer, item] -= 1
                    cards_used += 1
                    assert sessions[customer, item] >= 0
                case "service":
                    balance[customer] -= kinds.get((receipt, "stored_value"), 0)
                    assert balance[customer] >= 0
        assert cards_used > 1000

    def test_the_sessions_of_a_used_up_card_add_up_to_its_price(self) -> None:
        from_card = synthetic.baskets._share(np.full(7, 100_01), np.full(7, 7), np.arange(7, 0, -1))
        assert from_card.sum() == 100_01

    def test_some_receipts_are_nobodys(self, world: World) -> None:
        nobody = world.receipts.customer == MISSING
        assert 0.03 < nobody.mean() < 0.07
        assert set(np.array(world.receipts.kind)[nobody]) == {"sale"}


class TestPeople:
    def test_ages_are_plausible_and_the_nineties_lead(self, world: World) -> None:
        years = world.customers.birth_year[world.customers.birth_year != MISSING]
        ages = TODAY.year - years
        assert ages.min() >= 16
        assert ages.max() <= 75
        assert 0.38 < ((years >= 1990) & (years < 2000)).mean() < 0.6
        assert 0.15 < (world.customers.birth_year == MISSING).mean() < 0.35

    def test_every_birthday_exists(self, world: World) -> None:
        for year, month, day in zip(
            *(world.customers.values()[f"birth_{part}"] for part in ("year", "month", "day")), strict=True
        ):
            if month is not None:
                date(year or 2024, month, day)

    def test_names_are_chinese_with_compound_and_rare_ones_among_them(self, world: World) -> None:
        names = invent(3, today=TODAY, customers=20_000, years=1).customers.name
        assert Counter(name[0] for name in names).most_common(1)[0][0] in "王李张"
        assert any(name.startswith(("欧阳", "司马", "上官")) for name in names)
        assert any(ord(letter) > 0xFFFF for name in names for letter in name)
        assert any(name.endswith("女士") for name in names)
        assert len(set(names)) < len(names)  # several persons of one name
        assert not any(name.endswith("女士") for name in world.staff.name)

    def test_some_have_allergies_and_most_have_a_source(self, world: World) -> None:
        assert 0.03 < np.mean([bool(allergy) for allergy in world.customers.allergies]) < 0.12
        assert {"抖音", "美团", "朋友介绍", "路过"} <= set(world.customers.source)

    def test_the_old_system_tells_of_customers_from_before_the_first_day(self, world: World) -> None:
        openings = world.openings
        assert len(openings) > 100
        assert (openings.last_on < np.datetime64(world.first_day)).all()
        assert (openings.first_on <= openings.last_on).all()
        assert (openings.first_on == world.customers.known_on[openings.customer]).all()
        assert ((openings.purchases > 1) | (openings.first_on == openings.last_on)).all()

    def test_nobody_comes_before_she_is_known(self, world: World) -> None:
        assert (world.visits.business_date >= world.customers.known_on[world.visits.customer]).all()


class TestTheTruth:
    def test_nothing_of_a_churned_customer_happens_after_her_day(self, world: World) -> None:
        churned = world.truth.churned_on
        for table in (world.receipts, world.visits, world.events):
            known = table.customer != MISSING
            end = churned[table.customer[known]]
            assert (np.isnat(end) | (table.business_date[known] <= end)).all()
        assert (churned[~np.isnat(churned)] <= np.datetime64(TODAY)).all()

    def test_customers_have_left_in_every_year_and_few_of_them_only_just_now(self, world: World) -> None:
        returning = np.isin(world.truth.kind, ["casual", "regular", "vip"])
        gone = world.truth.churned_on[returning & ~np.isnat(world.truth.churned_on)]
        years_ago = (np.datetime64(TODAY) - gone).astype(np.int64) / 365
        assert [((year <= years_ago) & (years_ago < year + 1)).mean() > 0.1 for year in range(3)] == [True] * 3
        assert (years_ago < 30 / 365).mean() < 0.12

    def test_who_is_active_has_no_day_and_no_reason(self, world: World) -> None:
        active = world.truth.is_active
        assert np.isnat(world.truth.churned_on[active]).all()
        assert {reason for reason, here in zip(world.truth.churn_reason, active, strict=True) if here} == {""}
        assert not np.isnat(world.truth.last_seen_on[active]).all()

    def test_every_planted_reason_is_found(self, world: World) -> None:
        reasons = Counter(world.truth.churn_reason)
        assert set(reasons) == {
            "", "moved", "price", "complaint", "oversold", "adviser_left", "needs_changed", "not_won",
        }  # fmt: skip
        assert min(reasons.values()) > 10

    def test_customers_follow_an_adviser_who_had_left_before(self, world: World) -> None:
        followers = np.array(world.truth.churn_reason) == "adviser_left"
        left = world.staff.left_on[world.truth.first_adviser[followers]]
        assert (left <= world.truth.churned_on[followers]).all()
        assert not (world.customers.adviser[followers] == world.truth.first_adviser[followers]).any()

    def test_the_over_sold_bought_the_largest_top_up_shortly_before_they_left(self, world: World) -> None:
        oversold = set(np.nonzero(np.array(world.truth.churn_reason) == "oversold")[0].tolist())
        largest = world.lines.item == len(world.items) - 1
        buyers = set(world.receipts.customer[world.lines.receipt[largest]].tolist())
        visits = Counter(world.visits.customer.tolist())
        pushed = {customer for customer in oversold if visits[customer] > 1}
        assert pushed
        assert pushed <= buyers

    def test_complaints_are_mostly_heard_from_those_who_leave_over_them(self, world: World) -> None:
        complained = set(world.events.customer[np.array(world.events.kind) == "complaint"].tolist())
        reasons, kinds = world.truth.churn_reason, world.truth.kind
        returning = [kind in ("casual", "regular", "vip") for kind in kinds]
        unhappy = [
            c
            for c, reason in enumerate(reasons)
            if reason == "complaint" and returning[c] and not np.isnat(world.truth.last_seen_on[c])
        ]
        content = [c for c, reason in enumerate(reasons) if reason == "" and returning[c]]
        assert np.mean([c in complained for c in unhappy]) > 0.5
        assert 0 < np.mean([c in complained for c in content]) < 0.2

    def test_half_of_the_buyers_or_fewer_bought_on_one_day_only(self, world: World) -> None:
        sale = of(world, "sale") & (world.receipts.customer != MISSING)
        days = {
            (c, d)
            for c, d in zip(
                world.receipts.customer[sale].tolist(), world.receipts.business_date[sale].tolist(), strict=True
            )
        }
        per_buyer = Counter(customer for customer, _ in days)
        assert 0.3 < np.mean([count == 1 for count in per_buyer.values()]) < 0.52

    def test_first_visit_only_customers_come_once(self, world: World) -> None:
        visits = Counter(world.visits.customer.tolist())
        once = [visits[c] for c, kind in enumerate(world.truth.kind) if kind == "once"]
        assert max(once) == 1

    def test_a_trial_brings_visits_and_no_receipt_and_a_prospect_neither(self, world: World) -> None:
        buyers, visitors = set(world.receipts.customer.tolist()), set(world.visits.customer.tolist())
        kinds = world.truth.kind
        assert not any(kinds[c] in ("trial", "prospect") for c in buyers if c != MISSING)
        assert not any(kinds[c] == "prospect" for c in visitors)
        assert any(kinds[c] == "trial" for c in visitors)
        assert {
            world.visits.purpose[v] for v, c in enumerate(world.visits.customer.tolist()) if kinds[c] == "trial"
        } == {"trial"}

    def test_the_gaps_of_regulars_cluster_around_the_usual_cycle_of_their_service(self, world: World) -> None:
        gaps, customers = gaps_of(world)
        regular = np.array(world.truth.kind)[customers] == "regular"
        to_cycle = gaps[regular] / world.items.usual_cycle_days[world.truth.need[customers[regular]]]
        to_own = gaps[regular] / world.truth.gap_days[customers[regular]]
        assert 0.85 < np.median(to_cycle) < 1.15
        assert 0.9 < np.median(to_own) < 1.1
        # Regular, not memoryless: of exponential gaps 39 in 100 would be shorter than half the mean.
        assert (to_own < 0.5).mean() < 0.03
        assert ((to_own > 0.6) & (to_own < 1.6)).mean() > 0.85

    def test_vips_come_three_times_a_month_and_regulars_do_not(self, world: World) -> None:
        gaps, customers = gaps_of(world)
        kinds = np.array(world.truth.kind)[customers]
        assert (
            np.median(gaps[kinds == "vip"])
            < 11
            < np.median(gaps[kinds == "regular"])
            < np.median(gaps[kinds == "casual"])
        )

    def test_some_come_back_from_a_long_break(self, world: World) -> None:
        gaps, customers = gaps_of(world)
        planned = world.truth.break_days[customers]
        assert ((planned > 0) & (gaps >= planned) & (gaps > 100)).any()

    def test_friends_bring_customers_who_stay_and_coupons_bring_customers_who_do_not(self, world: World) -> None:
        source, once = np.array(world.customers.source), np.array(world.truth.kind) == "once"
        assert once[source == "美团"].mean() > 2 * once[source == "朋友介绍"].mean()


def gaps_of(world: World) -> tuple[Integers, Integers]:
    """Days between the visits of each customer, and whose they are."""
    order = np.lexsort((world.visits.business_date, world.visits.customer))
    customer, day = world.visits.customer[order], world.visits.business_date[order].astype(np.int64)
    same = np.diff(customer) == 0
    return np.diff(day)[same], customer[1:][same]


def test_the_generator_imports_nothing_of_ours() -> None:
    """It is measured against: a shared constant or model would make it agree with itself. What refuses a wrong number
    knows of neither."""
    for file in Path(synthetic.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("changke") for alias in node.names), file.name
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, file.name
                ours = (node.module or "").startswith("changke") and node.module != "changke.engine.refusals"
                assert node.level == 1 or not ours, file.name


def test_the_demo_chain_sells_what_the_beauty_playbook_sells() -> None:
    playbook = json.loads((ROOT / "playbooks/beauty/catalogue.json").read_text(encoding="utf-8"))
    world = small()
    items, names = world.items.values(), world.categories.name
    sold = [
        {
            "code": items["code"][row], "kind": items["kind"][row], "name": items["name"][row],
            "category": names[items["category"][row]], "price_minor": items["price_minor"][row],
            **{
                key: items[key][row]
                for key in ("unit_cost_minor", "usual_cycle_days", "sessions", "bonus_minor")
                if items[key][row] is not None
            },
            **({} if items["service"][row] is None else {"service": items["code"][items["service"][row]]}),
        }
        for row in range(len(world.items))
    ]  # fmt: skip
    assert sold == playbook["items"]
    margins = world.categories.values()["margin_basis_points"]
    assert [
        {"name": name, **({} if margin is None else {"margin_basis_points": margin})}
        for name, margin in zip(names, margins, strict=True)
    ] == playbook["categories"]
