"""BG/NBD: she may leave after each repeat purchase."""

from changke.engine.clv.coins import CoinModel


class BGNBD(CoinModel):
    """The beta-geometric/NBD model.

    Parameters r, alpha (rate of purchase days) and a, b (leaving). Whoever bought once counts as alive for certain;
    where such customers are many, `MBGNBD` describes a shop better.

    References
    ----------
    Fader, Hardie, Lee (2005): "Counting Your Customers" the Easy Way. Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426).expected_purchases(39, x=[2], t_x=[30.43], T=[38.86]).round(3)
    array([1.226])
    """

    name = "BG/NBD"
    first_coin = 0
