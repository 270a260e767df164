from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Chain


class NoChainYet(DomainError):
    code, status = "no_chain_yet", 409
    message = "This installation has no chain yet. Run `changke demo`, or `changke up` and open the first page."


def the_chain() -> Chain:
    """The one chain of this installation."""
    chain = Chain.objects.first()
    if chain is None:
        raise NoChainYet
    return chain
