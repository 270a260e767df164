"""MBG/NBD: she may leave after the first purchase too."""

from changke.engine.clv.coins import CoinModel


class MBGNBD(CoinModel):
    """The modified beta-geometric/NBD model.

    References
    ----------
    Batislam, Denizel, Filiztekin (2007): Empirical validation and comparison of models for customer base analysis.
    International Journal of Research in Marketing 24(3), 201-209.
    """

    name = "MBG/NBD"
    first_coin = 1
