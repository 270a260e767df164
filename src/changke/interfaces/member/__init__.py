"""The customer's own page: reached by a QR code of the shop, without a log-in, with nothing on it that names her."""
