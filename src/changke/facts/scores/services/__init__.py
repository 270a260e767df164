"""Verbs that write scores, one subject per file."""

from changke.facts.scores.services.define import (
    ScoreInUse,
    ScoreKeyTaken,
    change_score,
    define_score,
    register_users,
    retire_score,
)

__all__ = ["ScoreInUse", "ScoreKeyTaken", "change_score", "define_score", "register_users", "retire_score"]
