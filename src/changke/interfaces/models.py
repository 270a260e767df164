"""The tables of this floor; each is written in its room."""

from changke.interfaces.api.models import KeptAnswer as KeptAnswer
from changke.interfaces.exporters.models import Export as Export
from changke.interfaces.web.models import SentForm as SentForm
from changke.interfaces.webhooks.models import PrivacyRequest as PrivacyRequest
from changke.interfaces.webhooks.models import WebhookAddress as WebhookAddress
from changke.interfaces.webhooks.models import WebhookDelivery as WebhookDelivery
from changke.interfaces.webhooks.models import WebhookPlace as WebhookPlace
from changke.interfaces.webhooks.models import WebhookRefusal as WebhookRefusal
