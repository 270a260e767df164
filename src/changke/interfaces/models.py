"""The tables of this floor; each is written in its room."""

from changke.interfaces.api.models import KeptAnswer as KeptAnswer
