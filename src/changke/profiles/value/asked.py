"""What conditions may ask of the predictions: whole numbers in the units people write."""

from django.utils.translation import gettext_noop as _

from changke.engine.definitions import Fact
from changke.profiles.attributes.own import Stored, register_stored

PREDICTIONS = Fact(
    "profiles_prediction",
    {
        "customer_id": "int",
        "p_active_bp": "int",
        "expected_purchases_milli": "int",
        "expected_spend_minor": "money",
        "value_year_minor": "money",
        "worth_minor": "money",
    },
    day=None,
    schema=None,
)

ASKED = register_stored(
    Stored(
        PREDICTIONS,
        {
            "p_active": (
                "int",
                "(p_active_bp + 50) // 100",
                _("the chance in percent that she buys within the horizon"),
            ),
            "expected_purchases": (
                "int",
                "(expected_purchases_milli + 500) // 1000",
                _("purchase days expected within the horizon"),
            ),
            "expected_spend": ("money", "expected_spend_minor", _("money expected from her within the horizon")),
            "value_year": ("money", "value_year_minor", _("her value over the coming year")),
            "worth": ("money", "worth_minor", _("her discounted worth over the years that the chain counts")),
        },
    )
)
