"""Verbs of the lifecycle, and of the profiles altogether: attributes and stages are computed by one statement.

publish.py     lifecycle models into use, in a new version when anything of them changed
refresh.py     everybody over the mirror; some customers over PostgreSQL
fold.py        follow the facts: whoever has a new one is refreshed
standings.py   stages that changed, as rows and as events
series.py      counts and flows at the ends of months
explain.py     one customer as of any day, with reasons and the bands of her past
compare.py     do the stored rows, the bulk and the single path agree? for `changke doctor`
"""

from changke.profiles.lifecycle.services.compare import Comparison, compare
from changke.profiles.lifecycle.services.explain import Band, Explanation, Line, NoSuchCustomer, explain
from changke.profiles.lifecycle.services.fold import Folded, fold
from changke.profiles.lifecycle.services.publish import publish_models
from changke.profiles.lifecycle.services.refresh import Refreshed, refresh_all, refresh_customers, refresh_from
from changke.profiles.lifecycle.services.series import fill_series

__all__ = [
    "Band",
    "Comparison",
    "Explanation",
    "Folded",
    "Line",
    "NoSuchCustomer",
    "Refreshed",
    "compare",
    "explain",
    "fill_series",
    "fold",
    "publish_models",
    "refresh_all",
    "refresh_customers",
    "refresh_from",
]
