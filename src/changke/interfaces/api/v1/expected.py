"""What is expected of one customer, as the API says it: beside her profile, and in lists of predictions."""

import datetime as dt

from ninja import Field, Schema


class PredictionOut(Schema):
    """What is expected of her within the horizon; docs/algorithms/value.md says of what."""

    customer_id: int
    as_of: dt.date
    horizon_days: int
    p_active_bp: int = Field(..., description="Chance of at least one purchase day, in basis points.")
    p_active_low_bp: int = Field(..., description="The lowest of the models.")
    p_active_high_bp: int = Field(..., description="The highest of the models.")
    expected_purchases_milli: int = Field(..., description="Expected purchase days, in thousandths.")
    purchases_low_milli: int
    purchases_high_milli: int
    expected_spend_minor: int
    spend_low_minor: int = Field(..., description="Four of five come to lie between the two.")
    spend_high_minor: int
    value_year_minor: int = Field(..., description="Margin of the coming year, later money being less.")
    value_year_low_minor: int = Field(..., description="Four of five come to lie between the two.")
    value_year_high_minor: int
    worth_minor: int = Field(..., description="The same of all the years that the chain counts: `worth_years`.")
    margin_bp: int | None = Field(None, description="The share that stays in both. null: unknown, both are revenue.")
    fit_id: int
