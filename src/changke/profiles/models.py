"""The tables of this floor; each is written in its room."""

from changke.profiles.affinity.models import (
    AffinityFit,
    Basis,
    Favourite,
    GroupCount,
    ItemCount,
    Need,
    PairCount,
    Proposal,
    SeasonCount,
    StarterCount,
    TagRule,
)
from changke.profiles.attributes.models import POPULATIONS, BulkRun, PopulationVersion, Profile
from changke.profiles.lifecycle.models import (
    SeriesFill,
    StageCount,
    StageFlow,
    StageModel,
    StageProfit,
    StageReplay,
    StageSpell,
    Standing,
    StoreMonth,
)
from changke.profiles.risk.models import BackTest, ChurnWarning, RiskFit, RiskRule, ServiceLine
from changke.profiles.segments.models import Segment, SegmentMember
from changke.profiles.value.models import LineAge, Prediction, ValueFit, ValueRules

__all__ = [
    "POPULATIONS",
    "AffinityFit",
    "BackTest",
    "Basis",
    "BulkRun",
    "ChurnWarning",
    "Favourite",
    "GroupCount",
    "ItemCount",
    "LineAge",
    "Need",
    "PairCount",
    "PopulationVersion",
    "Prediction",
    "Profile",
    "Proposal",
    "RiskFit",
    "RiskRule",
    "SeasonCount",
    "Segment",
    "SegmentMember",
    "SeriesFill",
    "ServiceLine",
    "StageCount",
    "StageFlow",
    "StageModel",
    "StageProfit",
    "StageReplay",
    "StageSpell",
    "Standing",
    "StarterCount",
    "StoreMonth",
    "TagRule",
    "ValueFit",
    "ValueRules",
]
