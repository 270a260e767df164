"""The special functions of statistics. SciPy is loaded when the first is asked: it takes longer to import than most
commands take to run, and few of them compute anything of the kind."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from changke.engine.later import Later

if TYPE_CHECKING:
    import scipy
else:
    scipy = Later("scipy")


def _of_scipy(name: str) -> Callable[..., Any]:
    """`scipy.special.name`, found at the call; shapes and dtypes as NumPy's own functions have them."""

    def function(*values: Any, **options: Any) -> Any:
        return getattr(scipy.special, name)(*values, **options)

    return function


betainc = _of_scipy("betainc")
betaincinv = _of_scipy("betaincinv")
betaln = _of_scipy("betaln")
chdtrc = _of_scipy("chdtrc")
digamma = _of_scipy("digamma")
expit = _of_scipy("expit")
exprel = _of_scipy("exprel")
gammainc = _of_scipy("gammainc")
gammaincinv = _of_scipy("gammaincinv")
gammaln = _of_scipy("gammaln")
logit = _of_scipy("logit")
ndtr = _of_scipy("ndtr")
ndtri = _of_scipy("ndtri")
pdtrik = _of_scipy("pdtrik")
softmax = _of_scipy("softmax")
stdtr = _of_scipy("stdtr")
stdtrit = _of_scipy("stdtrit")
