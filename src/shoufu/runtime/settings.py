import os
from pathlib import Path
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from shoufu.kernel.base import registry
from shoufu.runtime import data, env
from shoufu.runtime.servers import nats, postgres

PACKAGE = Path(__file__).resolve().parent.parent
# Beside the sources, Numba's default, may be read-only.
os.environ.setdefault("NUMBA_CACHE_DIR", str(env.cache_dir() / "numba"))

SECRET_KEY = data.secret_key()
DEBUG = env.get("SHOUFU_DEBUG")
DEMO = env.get("SHOUFU_DEMO")
ALLOWED_HOSTS = ["*"] if not env.get("SHOUFU_ORIGIN") else [urlsplit(env.get("SHOUFU_ORIGIN")).hostname, "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [origin for origin in (env.get("SHOUFU_ORIGIN"),) if origin]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = str(env.get("SHOUFU_ORIGIN")).startswith("https:")
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "procrastinate.contrib.django",
    "ninja",
    *registry.kernel_apps(),
    "shoufu.web",
    *registry.scene_apps(),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "shoufu.web.middleware.ActorMiddleware",
    "shoufu.web.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "shoufu.web.middleware.ProblemMiddleware",
]

ROOT_URLCONF = "shoufu.web.urls"
CSRF_FAILURE_VIEW = "shoufu.web.failures.stale_form"
WSGI_APPLICATION = "shoufu.web.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shoufu.web.context.shell",
            ]
        },
    }
]

_connection = conninfo_to_dict(postgres.dsn())
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _connection.pop("dbname", "shoufu"),
        "USER": _connection.pop("user", ""),
        "PASSWORD": _connection.pop("password", ""),
        "HOST": _connection.pop("host", ""),
        "PORT": _connection.pop("port", ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _connection,
    }
}

AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "shoufu.kernel.access.adapter.AccountAdapter"
MFA_ADAPTER = "shoufu.kernel.access.adapter.MfaAdapter"
ALLAUTH_TRUSTED_PROXY_COUNT = 1  # the edge, which drops what callers claim; else all sign-in limits share one address
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SESSION_COOKIE_SECURE

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "web" / "locale"]
TIME_ZONE = env.get("SHOUFU_TIME_ZONE")
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = data.layout().root / "static"
STATICFILES_DIRS: list[Path] = []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 3600
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/built/assets/.+$"

DATA_ROOT = data.layout().root
KEYS_ROOT = data.layout().keys
MEDIA_ROOT = data.layout().media
RECORDING_DAYS = env.get("SHOUFU_RECORDING_DAYS")
RECORDING_BYTES = int(env.get("SHOUFU_RECORDING_GB") * (1 << 30))
KEYS_ROOT = data.layout().keys
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

_smtp = urlsplit(env.get("SHOUFU_SMTP_URL"))
SMTP_CONFIGURED = bool(env.get("SHOUFU_SMTP_URL"))
SMS_URL = env.get("SHOUFU_SMS_URL")
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _smtp.hostname or "localhost", _smtp.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _smtp.username or "", _smtp.password or ""
EMAIL_USE_SSL = _smtp.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = EMAIL_HOST_USER or "shoufu@localhost"

WECHATPAY, WECHATPAY_URL = env.get("SHOUFU_WECHATPAY"), env.get("SHOUFU_WECHATPAY_URL")
ALIPAY, ALIPAY_URL = env.get("SHOUFU_ALIPAY"), env.get("SHOUFU_ALIPAY_URL")

NATS_URL = nats.url()
BACKUP_DAYS = env.get("SHOUFU_BACKUP_DAYS")
SHARDS = env.get("SHOUFU_SHARDS")
LATENESS = env.get("SHOUFU_LATENESS")
MODEL_PATH = "shoufu.runtime.models.path"
HISTORY_ROOT = data.layout().root / "history"
LOGGING_CONFIG = None
