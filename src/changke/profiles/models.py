"""The tables of this floor; each is written in its room."""

from changke.profiles.affinity.models import Proposal, TagRule
from changke.profiles.attributes.models import POPULATIONS, BulkRun, PopulationVersion, Profile
from changke.profiles.lifecycle.models import SeriesFill, StageCount, StageFlow, StageModel, Standing

__all__ = [
    "POPULATIONS",
    "BulkRun",
    "PopulationVersion",
    "Profile",
    "Proposal",
    "SeriesFill",
    "StageCount",
    "StageFlow",
    "StageModel",
    "Standing",
    "TagRule",
]
