"""Weights for a shop with too little past of its own: learnt on Online Retail II up to 2011-06-09.

Written by `python -m benchmarks.recommend FILE --ship`.
"""

from typing import Any

SHIPPED: dict[str, Any] = {
    "baskets": 0,  # none of the shop's own
    "intercept": -2.75532,
    "parts": (
        "had",
        "times",
        "share",
        "share_by_baskets",
        "faded_30",
        "faded_90",
        "faded_180",
        "in_last_basket",
        "since",
        "had_and_sold_now",
        "early",
        "late",
        "alike_30",
        "alike_90",
        "alike_180",
        "goes_with_last",
        "goes_with_lately",
        "sold_14",
        "sold_30",
        "sold_60",
        "sold_180",
    ),
    "values": (
        0.533794,  # had
        0.295799,  # times
        0.616601,  # share
        1.28887,  # share_by_baskets
        0.100227,  # faded_30
        0.238218,  # faded_90
        -0.236014,  # faded_180
        -0.146053,  # in_last_basket
        0.0604872,  # since
        0.148724,  # had_and_sold_now
        0.0560907,  # early
        -0.3721,  # late
        0.289146,  # alike_30
        0.170192,  # alike_90
        0.105758,  # alike_180
        0.25907,  # goes_with_last
        -0.215634,  # goes_with_lately
        0.375614,  # sold_14
        -0.0382005,  # sold_30
        -0.0489341,  # sold_60
        -0.425572,  # sold_180
    ),
    "usual": (1.12286, -0.23773, 0.103061, -0.221425, -1.59889),
}
