"""A note, with a photo if there is one. The photo is written anew, so that no place or camera travels with it."""

import datetime as dt
import io
import uuid
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps, UnidentifiedImageError

from changke.facts.customers.models import Customer, Note
from changke.foundation.access.models import Staff
from changke.foundation.errors import Invalid

LARGEST_PHOTO_BYTES = 15 * 1024 * 1024
LARGEST_PHOTO_PIXELS = 40_000_000
LONGEST_SIDE = 1600


def write_note(
    customer: Customer, *, text: str, photo: "UploadedFile[Any] | None" = None, by: Staff | None, now: dt.datetime
) -> Note:
    """Keep what somebody saw or heard. Text or photo must be there."""
    plain = text.strip()
    if not plain and photo is None:
        raise Invalid(field="text", reason="write something or take a photo")
    if len(plain) > 4000:
        raise Invalid(field="text", reason="at most 4,000 characters")
    note = Note(customer=customer, text=plain, written_by=by, written_at=now)
    if photo is not None:
        note.photo.save(f"{uuid.uuid4().hex}.jpg", ContentFile(_plain_photo(photo)), save=False)
    note.save()
    return note


def _plain_photo(upload: "UploadedFile[Any]") -> bytes:
    if (upload.size or 0) > LARGEST_PHOTO_BYTES:
        raise Invalid(field="photo", reason="the photo is larger than 15 MB: choose a smaller one")
    try:
        opened = Image.open(upload)
        if opened.width * opened.height > LARGEST_PHOTO_PIXELS:  # read from the header: nothing is unpacked yet
            raise Invalid(field="photo", reason="the photo has too many pixels: choose a smaller one")
        image = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        raise Invalid(field="photo", reason="this is not a photo: take a JPEG, PNG or WebP") from None
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=82)
    return written.getvalue()
