"""Forms that were sent, so that sending one twice has one effect."""

from django.db import models


class SentForm(models.Model):
    """The one-time number of a form that did its work, by whom."""

    number = models.CharField(max_length=100, unique=True)
    sent_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["sent_at"], name="sent_form_age")]
