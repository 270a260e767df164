"""The API, put together: every room's router under one door."""

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from changke.interfaces.api.actors import Key, LoggedIn
from changke.interfaces.api.errors import handle_errors
from changke.interfaces.api.limits import rated, weighed
from changke.interfaces.api.services import PARAMETER, WRITES, once
from changke.interfaces.api.v1 import (
    audit,
    bulk,
    customers,
    devices,
    duplicates,
    events,
    exports,
    facts,
    fields,
    followups,
    handovers,
    history,
    imports,
    items,
    keys,
    merges,
    numbers,
    organisation,
    privacy,
    profiles,
    purchases,
    referrals,
    risk,
    roles,
    scores,
    segments,
    sending,
    stage_models,
    stage_series,
    stages,
    store_health,
    tag_words,
    tags,
    team,
    today,
    together,
    value,
    visits,
    waiting,
    webhooks,
)

DESCRIPTION = """
Record what happened in your stores, and read who your customers are and whom to look after today.

**Keys.** Every request carries `Authorization: Bearer ck_live_...`. A key has a role and, unless it is owner's or
headquarters', stores: what lies outside them does not exist for it (404). It may be held to some capabilities (403
outside them) and to some addresses.

**Money** is a whole number of minor units (fen, pence) of the chain's one currency. **Moments** are ISO 8601 with
their zone; **days** are days of the store.

**Twice is once.** Facts are known again by their number or your own `id`; every write by the header
`Idempotency-Key`. Send again whatever you are not sure of.

**Refusals** have one shape: `code` for programs, `message` in the language of `Accept-Language` (zh-Hans, en,
zh-Hant), `field`, `remedy`, `details` where they are known. A batch is answered item by item.

**Limits.** 2 MB and 1,000 items in a request (files of an import: as large as the installation takes); 6,000 requests
a minute and key, unless its settings say otherwise.
`RateLimit-Remaining` says how many are left, 429 with `Retry-After` when to come again.
Lists come in pages: send `next` as `cursor`.
"""


class Api(NinjaAPI):
    """The API with its refusals in the document of every route."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**kwargs)
        shape = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
        for methods in document["paths"].values():
            for method, operation in methods.items():
                if method.upper() in WRITES:
                    operation.setdefault("parameters", []).append(PARAMETER)
                operation["responses"]["4XX"] = {"description": "Refused, with what to do about it.", "content": shape}
        return document


api = Api(
    title="Changke",
    version="1",
    description=DESCRIPTION.strip(),
    urls_namespace="api-1",
    auth=[Key(), LoggedIn()],
)
api.add_decorator(once)
api.add_decorator(weighed(api), mode="view")
api.add_decorator(rated, mode="view")
handle_errors(api)

for prefix, router in (
    ("/customers", customers.router),
    ("/customers", history.router),
    ("/customers", privacy.router),
    ("/customers", merges.router),
    ("/customers", referrals.router),
    ("/duplicates", duplicates.router),
    ("/facts", facts.router),
    ("/waiting-returns", waiting.router),
    ("/customers", tags.router),
    ("/staff", handovers.router),
    ("/webhooks", webhooks.router),
    ("/exports", exports.router),
    ("/purchases", purchases.router),
    ("/visits", visits.router),
    ("/events", events.router),
    ("/audit", audit.router),
    ("/profiles", profiles.router),
    ("/segments", segments.router),
    ("/stages", stages.router),
    ("/stages", stage_series.router),
    ("/store-health", store_health.router),
    ("/stage-models", stage_models.router),
    ("/value", value.router),
    ("/together", together.router),
    ("/numbers", numbers.router),
    ("/sending", sending.router),
    ("/risk", risk.router),
    ("/today", today.router),
    ("/followups", followups.router),
    ("/batches", bulk.router),
    ("/imports", imports.router),
    ("/devices", devices.router),
    ("", organisation.router),
    ("", team.router),
    ("", fields.router),
    ("", tag_words.router),
    ("", items.router),
    ("", roles.router),
    ("", scores.router),
    ("/keys", keys.router),
):
    api.add_router(prefix, router)
