"""The tables of this floor; each is written in its room."""

from changke.profiles.affinity.models import Proposal, TagRule
from changke.profiles.attributes.models import POPULATIONS, BulkRun, PopulationVersion, Profile
from changke.profiles.lifecycle.models import (
    SeriesFill,
    StageCount,
    StageFlow,
    StageModel,
    StageProfit,
    StageSpell,
    Standing,
    StoreMonth,
)
from changke.profiles.risk.models import BackTest, ChurnWarning, RiskRule, ServiceLine
from changke.profiles.segments.models import Segment, SegmentMember
from changke.profiles.value.models import LineAge, Prediction, ValueFit, ValueRules

__all__ = [
    "POPULATIONS",
    "BackTest",
    "BulkRun",
    "ChurnWarning",
    "LineAge",
    "PopulationVersion",
    "Prediction",
    "Profile",
    "Proposal",
    "RiskRule",
    "Segment",
    "SegmentMember",
    "SeriesFill",
    "ServiceLine",
    "StageCount",
    "StageFlow",
    "StageModel",
    "StageProfit",
    "StageSpell",
    "Standing",
    "StoreMonth",
    "TagRule",
    "ValueFit",
    "ValueRules",
]
