"""Warnings that somebody is leaving: docs/algorithms/churn-backtest.md."""

from changke.engine.churn.backtest import Backtest, backtest
from changke.engine.churn.examine import examine
from changke.engine.churn.habit import passed_over_on
from changke.engine.churn.judge import Judged
from changke.engine.churn.lines import JudgedLine, judge_line
from changke.engine.churn.score import Chances, fall_of_outlook, fires_on, has_fired, outlook_score
from changke.engine.churn.signal import Signal
from changke.engine.churn.slump import JudgedSlump, judge_slumps, slump_chance
from changke.engine.prediction.past import area

__all__ = [
    "Backtest", "Chances", "Judged", "JudgedLine", "JudgedSlump", "Signal", "area", "backtest", "examine",
    "fall_of_outlook", "fires_on", "has_fired", "judge_line", "judge_slumps", "outlook_score", "passed_over_on",
    "slump_chance",
]  # fmt: skip
