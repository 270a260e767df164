"""All settings on one page, read from the environment; a mistake is said at start, with its remedy."""

import os
from importlib.metadata import PackageNotFoundError, version
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from changke.foundation.database.config import data_folder, databases
from changke.foundation.keys import master_key_file, secret_key
from changke.interfaces.web.policy import add_headers

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent.parent


def switch(name: str, default: bool) -> bool:
    """`1`, `true`, `yes`, `on` or their opposites; anything else is refused rather than guessed."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if value == "" else value in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name}={value!r}: write 1 or 0")


def listed(name: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def networks(name: str, default: list[str]) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks like `10.0.0.5, 172.16.0.0/12`."""
    try:
        return [ip_network(word, strict=False) for word in listed(name) or default]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}; write addresses or networks, separated by commas") from None


def packaged(name: str) -> Path:
    """A folder that lies beside the source in a checkout and inside the package in a wheel."""
    inside = PACKAGE / name
    return inside if inside.exists() else CHECKOUT / name


try:
    VERSION = version("changke")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0+checkout"

DATA_DIR = data_folder(os.environ)
DEBUG = switch("DEBUG", False)
SECRET_KEY = secret_key(os.environ, DATA_DIR)
# Under which phones and addresses are sealed; read when first needed. One of the two, else the data folder's file.
MASTER_KEY = os.environ.get("MASTER_KEY", "")
MASTER_KEY_FILE = master_key_file(os.environ, DATA_DIR)
# Who was erased: outside the database, because a restored backup does not know it.
ERASED_FILE = Path(os.environ.get("ERASED_FILE") or DATA_DIR / "erased.jsonl")
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *listed("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")
BEHIND_HTTPS = switch("BEHIND_HTTPS", False)
if BEHIND_HTTPS:  # a proxy or our own server ends TLS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Whose X-Forwarded-For is believed. Anybody else could write any address there and be delayed as somebody else.
TRUSTED_PROXIES = networks("TRUSTED_PROXIES", ["127.0.0.0/8", "::1"] if BEHIND_HTTPS else [])
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_cotton",
    "ninja",
    "procrastinate.contrib.django",
    "changke.foundation",
    "changke.facts",
    "changke.profiles",
    "changke.decisions",
    "changke.actions",
    "changke.interfaces",
]

MIDDLEWARE = [
    # First: what protects a document is dead weight on a script or a picture, and a page fetches some twenty of them.
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "changke.interfaces.web.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "changke.interfaces.web.middleware.SecurityHeadersMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "changke.interfaces.web.middleware.RowsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "changke.interfaces.web.middleware.FragmentMiddleware",
    "changke.interfaces.web.middleware.LanguageMiddleware",
    "changke.interfaces.web.middleware.CurrencyMiddleware",
    "changke.interfaces.web.login.guard.SignInMiddleware",
    "changke.interfaces.web.middleware.PagesNeedLogin",
    "changke.interfaces.web.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "changke.urls"
CSRF_FAILURE_VIEW = "changke.interfaces.web.errors.csrf_failed"
WSGI_APPLICATION = "changke.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "interfaces" / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "changke.interfaces.web.context.shell",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "changke.interfaces.web.templatetags.web",
            ],
        },
    }
]

COTTON_ISOLATE_BY_DEFAULT = True  # a component sees its attributes, not the page around it

CONNECTIONS = databases(os.environ, DATA_DIR)
DATABASE_ROLE = os.environ.get("DATABASE_ROLE", "app")
DATABASES = {
    "default": {
        **CONNECTIONS.as_role(DATABASE_ROLE).django(),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
}
# Background work lives at the roof: one file of jobs, one page of when they run. The worker reads both when it starts;
# nobody looks for jobs before, or every command would carry the whole of statistics and analytics in memory.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
PROCRASTINATE_IMPORT_PATHS = ["changke.interfaces.schedule"]

# To the standard error, where whoever runs us looks. A line carries the number of the request it was written for.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "changke.interfaces.requests.RequestNumber"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {"standard": {"class": "logging.StreamHandler", "filters": ["request"], "formatter": "line"}},
    "root": {"handlers": ["standard"], "level": "WARNING"},
    "loggers": {
        "django.request": {"level": "ERROR"},  # an address that does not exist is the caller's mistake
        "changke.audit": {"level": "INFO"},  # the head of the chain, every night
    },
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "foundation.Staff"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "phone")},
    },
    {"NAME": "changke.foundation.login.passwords.NotGuessable"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English"), ("zh-hant", "繁體中文")]
LOCALE_PATHS = [packaged("locale")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"  # of what Django prints; calendar rules use the store's zone

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT") or DATA_DIR / "static")
STATICFILES_DIRS = [PACKAGE / "interfaces" / "web" / "static"]
STATICFILES_FINDERS = [
    "changke.interfaces.web.bundle.BundleFinder",
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
WHITENOISE_ADD_HEADERS_FUNCTION = add_headers
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "changke.interfaces.web.storage.WebStorage"
    },
}
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
PLAYBOOKS = packaged("playbooks")

SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# A file of an old system may be large; it is streamed to disk and refused above this many bytes.
UPLOAD_LIMIT_BYTES = int(os.environ.get("UPLOAD_LIMIT_BYTES", str(4 * 1024**3)))
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024**2
FILE_UPLOAD_HANDLERS = ["changke.interfaces.web.uploads.BoundedUpload"]
