"""The facts of a small chain of beauty shops, as the sample definitions see them."""

from changke.engine.definitions import Fact

FACTS = [
    Fact("customers", {"customer_id": "int", "home_store_id": "int", "known_on": "date"}, day="known_on"),
    # Cash is money that came in (a card sold is cash); consumption is the value of what she used (a session of it).
    Fact(
        "purchases",
        {
            "customer_id": "int",
            "store_id": "int",
            "business_date": "date",
            "receipt_id": "int",
            "cash_minor": "int",
            "consumed_minor": "int",
        },
        costly=True,  # it is not, but the golden tests shall walk that path
    ),
    Fact("visits", {"customer_id": "int", "store_id": "int", "business_date": "date", "visit_id": "int"}),
    Fact("memberships", {"customer_id": "int", "business_date": "date", "membership_id": "int", "tier": "text"}),
]
