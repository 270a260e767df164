"""Verbs that write scores, one subject per file."""

from changke.facts.scores.services.define import ScoreKeyTaken, change_score, define_score, retire_score

__all__ = ["ScoreKeyTaken", "change_score", "define_score", "retire_score"]
