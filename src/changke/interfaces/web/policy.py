"""What keeps foreign code out of a page: headers of our documents, and of the files beside them."""

from collections.abc import MutableMapping

# No inline script, no eval, nothing from elsewhere. Style attributes stay allowed: widths and colours come from data.
CONTENT_SECURITY_POLICY = "; ".join([
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'self'",
])  # fmt: skip

DOCUMENTS = (".svg", ".html")
"""What a browser may open by itself, with scripts in it; only there does a policy protect anybody."""


def add_headers(headers: MutableMapping[str, str], path: str, url: str) -> None:
    """What a static file carries: no guessing of its type, and the policy where it can be opened as a page."""
    headers["X-Content-Type-Options"] = "nosniff"
    if url.endswith(DOCUMENTS):
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
