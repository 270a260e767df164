"""How a fact names its customer."""

from typing import Annotated

from pydantic import Field

from changke.facts.customers.services.meet import ID, Reference, reference
from changke.foundation.errors import Invalid
from changke.interfaces.api.fields import Code, Id, Input, Storable, text


class CustomerRef(Input):
    """Who she is, in exactly one way. Anybody but `id` who is not known yet is written down."""

    id: Id | None = Field(None, description="Our id, from GET /api/v1/customers.")
    phone: Annotated[str, text(60), Storable] | None = Field(
        None, description="However it is written; without a prefix it is Chinese."
    )
    email: Annotated[str, text(200), Storable] | None = None
    external_id: Annotated[str, text(200, empty=False), Storable] | None = Field(
        None, description="Her id in another system; `source` says in which."
    )
    source: Code | None = Field(None, description="With `external_id`: the system that gave it.")
    wecom_id: Annotated[str, text(200, empty=False), Storable] | None = None
    name: Annotated[str, text(120), Storable] = Field("", description="What to call her if nobody knew her yet.")

    def reference(self) -> Reference:
        """The one way, normalised. Raises Invalid where there is none, or more than one."""
        ways = {
            ID: str(self.id) if self.id is not None else None,
            "phone": self.phone,
            "email": self.email,
            "external": self.external_id,
            "wecom": self.wecom_id,
        }
        given = [(kind, value) for kind, value in ways.items() if value is not None]
        if len(given) != 1:
            raise Invalid(
                field="customer", reason="say who she is in one way: id, phone, email, external_id or wecom_id"
            )
        if self.external_id is not None and not self.source:
            raise Invalid(field="customer.source", reason="say which system gave the external_id")
        (kind, value), source = given[0], self.source or ""
        try:
            return reference(kind, value, source)
        except Invalid as error:
            raise Invalid(field=f"customer.{error.field}", reason=error.reason, **error.reason_places) from None
