"""Verbs of the lifecycle, and of the profiles altogether: attributes and stages are computed by one statement.

publish.py     lifecycle models into use, in a new version when anything of them changed
choose.py      which models are in use, and by which one the lists go
dry_run.py     who would stand elsewhere by other rules today
past.py        the same on any past day, for everybody
night.py       everybody over the mirror
some.py        some customers, at once after a fact
slices.py      how the rows of both are written
mirror.py      where the mirror lies
elsewhere.py   everybody computed elsewhere: facts out as Parquet, answers back
fold.py        follow the facts: whoever has a new one is refreshed
standings.py   stages that changed, as rows and as events
series.py      counts and flows at the ends of months
today.py       today's counts once more, when customers were computed since
explain.py     one customer as of any day, with reasons and the bands of her past
compare.py     do the stored rows, the bulk and the single path agree? for `changke doctor`
"""

from changke.profiles.lifecycle.services.choose import (
    DefaultModelStays,
    NotTriedFirst,
    bring_into_use,
    make_default,
    publish_previewed,
    switch_off,
    switch_on,
)
from changke.profiles.lifecycle.services.compare import Comparison, compare
from changke.profiles.lifecycle.services.dry_run import DryRun, Move, dry_run
from changke.profiles.lifecycle.services.elsewhere import hand_out, take_back, take_scores
from changke.profiles.lifecycle.services.explain import Band, Explanation, Line, NoSuchCustomer, explain
from changke.profiles.lifecycle.services.fold import Folded, fold, too_many
from changke.profiles.lifecycle.services.night import refresh_all, refresh_from
from changke.profiles.lifecycle.services.past import PastDay, PastMove, TooManyReplays, answer_past, ask_past, replay
from changke.profiles.lifecycle.services.publish import publish_models
from changke.profiles.lifecycle.services.series import fill_series
from changke.profiles.lifecycle.services.slices import Refreshed
from changke.profiles.lifecycle.services.some import refresh_customers
from changke.profiles.lifecycle.services.today import recount

__all__ = [
    "Band",
    "Comparison",
    "DefaultModelStays",
    "DryRun",
    "Explanation",
    "Folded",
    "Line",
    "Move",
    "NoSuchCustomer",
    "NotTriedFirst",
    "PastDay",
    "PastMove",
    "Refreshed",
    "TooManyReplays",
    "answer_past",
    "ask_past",
    "bring_into_use",
    "compare",
    "dry_run",
    "explain",
    "fill_series",
    "fold",
    "hand_out",
    "make_default",
    "publish_models",
    "publish_previewed",
    "recount",
    "refresh_all",
    "refresh_customers",
    "refresh_from",
    "replay",
    "switch_off",
    "switch_on",
    "take_back",
    "take_scores",
    "too_many",
]
