"""For whoever has bought nothing yet: what is asked for now, by those like her if that is known."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.lines import Lines
from changke.engine.refusals import whole
from changke.engine.table import Table

CHAIN_WEIGHT = 50.0  # customers of the chain that a group's own are shrunk by


def shares(customers: npt.ArrayLike, members: int, chain: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Of a group's members, the share who had each item, shrunk to the chain's with the weight of 50 customers."""
    return (np.asarray(customers) + CHAIN_WEIGHT * np.asarray(chain, dtype=float)) / (members + CHAIN_WEIGHT)


def popular(lines: Lines, *, top: int = 10, days: int = 60, groups: Mapping[object, object] | None = None) -> Table:
    """The items most customers had in the last days, per group.

    Parameters
    ----------
    days
        How far back.
    groups
        Customer's id to her group (age band, home store, need); customers without one count for the chain. Without it
        the chain is one group, None.

    Returns
    -------
    Table
        group, place, item_id, customers (of the group, who had it), share (of the group's recent customers, shrunk to
        the chain's).
    """
    whole("top", top, least=1)
    whole("days", days, least=1)
    recent = lines.end - lines.day < days
    seen = np.unique(np.stack([lines.customer[recent], lines.item[recent]]), axis=1)
    buyers = np.unique(seen[0])
    chain = np.bincount(seen[1], minlength=len(lines.items)) / max(1, len(buyers))
    ids = lines.customers[buyers].tolist()
    label = {int(one): (groups or {}).get(who) for one, who in zip(buyers, ids, strict=True)}
    found: list[dict[str, object]] = []
    for group in sorted(set(label.values()), key=lambda one: (one is None, str(one))):
        members = np.array([one for one in label if label[one] == group])
        had = np.bincount(seen[1][np.isin(seen[0], members)], minlength=len(lines.items))
        share = shares(had, len(members), chain)
        best = np.lexsort((np.arange(len(share)), -share))[:top]
        found += [
            {"group": group, "place": place + 1, "item": int(item), "customers": int(had[item]), "share": share[item]}
            for place, item in enumerate(best)
        ]
    return Table(
        {
            "group": np.array([one["group"] for one in found], dtype=object),
            "place": np.array([one["place"] for one in found], dtype=np.int64),
            "item_id": lines.items[np.array([one["item"] for one in found], dtype=np.int64)],
            "customers": np.array([one["customers"] for one in found], dtype=np.int64),
            "share": np.array([one["share"] for one in found], dtype=float),
        }
    )
