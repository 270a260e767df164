"""Expected refusals. A surprise is left to crash where someone will see it."""

from typing import Any, ClassVar


class DomainError(Exception):
    """Something the house refuses, said so that the caller knows what to do.

    Subclasses live beside the function that raises them and set `code` (stable, for programs), `status` (HTTP) and
    `message` (an English template with named places, translated at the roof). The places come as keyword arguments.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    message: ClassVar[str] = "This cannot be done."

    def __init__(self, **places: Any) -> None:
        self.places = places
        super().__init__(self.message % places if places else self.message)


class NotFound(DomainError):
    code, status = "not_found", 404
    message = "There is no such thing, or it is not yours to see."


class NotAllowed(DomainError):
    code, status = "not_allowed", 403
    message = "Your role does not include this. Ask the headquarters of your chain."


class Invalid(DomainError):
    """Input that cannot be used: `field` names the place, `reason` (an English template) says what would be right."""

    code, status = "invalid", 422
    message = "%(field)s: %(reason)s"

    def __init__(self, *, field: str, reason: str, **places: Any) -> None:
        self.field, self.reason, self.reason_places = field, reason, places
        super().__init__(field=field, reason=reason % places if places else reason)


def said_plainly(error: BaseException) -> str:
    """An error as a table may keep it: ours and the system's whole, of any other its kind alone. A database, ours or
    DuckDB, quotes the value that it could not take, and that may be somebody's name; the log has it."""
    return str(error) if isinstance(error, DomainError | OSError) else type(error).__name__
