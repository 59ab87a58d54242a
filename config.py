"""Every setting of Proton Pay: read once, from the environment, and checked.

Two ways to be configured, never mixed:

* ``DATABASE_URL`` is in the environment: this is a deployment of your own, in
  production unless ``PROTONPAY_ENV`` says ``sandbox``.
* It is not: the settings of the embedded stack are read from
  ``$PROTONPAY_HOME/stack.env``, which ``make up`` writes; the environment still
  wins, setting by setting.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import config_production as production
from protonpay.chains import further
from protonpay.chains.networks import BUILT_IN
from protonpay.identity.registry import MANUAL
from protonpay.identity.registry import PROVIDERS as IDENTITY_PROVIDERS

SANDBOX = "sandbox"
PRODUCTION = "production"
SHORTEST_SECRET = 32
MOST_SPREAD_BPS = 2000
USDC = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?", re.ASCII)
YOOKASSA_NETWORKS = (
    "185.71.76.0/27 185.71.77.0/27 77.75.153.0/25 77.75.154.128/25 77.75.156.11/32"
    " 77.75.156.35/32 2a02:5180::/32"
)
"""From where YooKassa notifies (its page "Notifications"; IPv6 as wide as its network)."""
LARGE_DEPOSIT = "1000"
"""USDC: above it a deposit waits for ``finalized``, and for the second node if there is one."""
LONGEST_KEPT_DAYS = 36_525
FIVE_YEARS_DAYS = 1826
"""For so long records of customers are to be kept (FATF, recommendation 11)."""
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?", re.ASCII)
_CEILING = rf"(-|{_AMOUNT.pattern})"
_CEILINGS = re.compile(rf"{_CEILING}/{_CEILING}/{_CEILING}", re.ASCII)


class ConfigError(Exception):
    """The settings do not make a runnable program; the message names each that is wrong."""


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the embedded stack's state (``PROTONPAY_HOME``)."""
    return Path(environ.get("PROTONPAY_HOME") or Path(__file__).parent / ".protonpay").absolute()


@dataclass(frozen=True)
class Config:
    """The settings, by the name of their environment variable in lower case.

    Attributes:
        environment: ``sandbox`` or ``production``.
        database_url: ``postgresql://…``; the role it names owns the tables, the program
            itself drops to the role ``protonpay_app`` on every connection.
        redis_url: the queue and the rate limits; an index per purpose is chosen from it.
        public_url: base of pay pages, redirects, mails and the tokens' issuer.
        secret_key: signs tokens and cursors.
        data_key: encrypts what encrypts secrets at rest.
        previous_data_key: what it was before it was changed, until ``rotate-key`` has run.
        keyring_path: the encrypted custody keys; ``keyring_passphrase`` is given to the
            process that signs and to no other.
        rpc_urls: network → its node; ``evm_networks``: those that ``EVM_NETWORKS`` adds, as JSON
            (docs/adding-a-chain.md).
        second_rpc_urls: network → a node of another provider, which must agree before a large
            deposit is credited; only where there is one.
        large_deposits: network → above how much USDC a deposit is large (``docs/chains.md``).
        yookassa_networks: CIDR, separated by spaces: from where its notifications, which bear
            no signature, are taken; in production of the public internet alone.
        fx_rates_url: source of the rates that have no peg; ``fx_spread_bps`` in our favour,
            none older than ``fx_max_age_seconds``.
        webhook_allow_insecure_targets: ``host:port`` list that webhooks may reach over
            plain HTTP; sandbox only.
        smtp_url: ``smtps://user:password@host:port`` (TLS) or ``smtp://`` (STARTTLS but to this
            machine); without one letters wait. ``mail_from``: what they come from.
        telegram_bot_token: BotFather's; without one there is no Telegram. ``telegram_bot_name``:
            without the @; ``telegram_base_url``: of the Bot API, ``telegram_page_url``: of bots.
        help_url: where people ask for help, ``terms_url`` what they agree to: links at the foot of
            every page; ``https://…`` (help also ``mailto:…``), or unset.
        sweep_threshold_usdc: an address with this much is swept to the treasury at once; one
            whose oldest deposit is older than ``sweep_age_seconds`` is, if it has
            ``sweep_dust_usdc``.
        payout_liquidity_alarm_seconds: how long payouts may wait for USDC or native coin of ours
            before the maintenance worker shouts.
        kyc_documents_kept_days: after the last decision about who somebody is, what they submitted
            for it is dropped. ``kyc_provider``: who judges new cases.
        database_connections: per process, one for each thread that serves (``WEB_THREADS``).
        rate_limit_page: of one account, what the portal's pages read for it.
        rate_limit_login: of one account, sign-ins that failed, wherever they came from.
        rate_limit_unauth: of one address, client calls refused before their account is known.
        payout_ceilings: network, or ``*`` for all together → ``single/hour/day`` in USDC: above
            it the signer leaves payouts waiting.
        payout_approval_above: USDC: a larger payout waits for an operator; None: none does.
        screening_list: a file of addresses that nothing is taken from or paid to by itself.
        trusted_proxies: how many proxies of ours stand in front (``X-Forwarded-For``).
    """

    environment: str
    database_url: str
    redis_url: str
    public_url: str
    secret_key: str
    data_key: str
    previous_data_key: str | None
    keyring_path: Path
    keyring_passphrase: str | None
    rpc_urls: Mapping[str, str]
    second_rpc_urls: Mapping[str, str]
    large_deposits: Mapping[str, str]
    evm_networks: further.Further
    tap_base_url: str
    tap_secret_key: str | None
    yookassa_base_url: str
    yookassa_shop_id: str
    yookassa_secret_key: str | None
    yookassa_networks: str
    freedompay_base_url: str
    freedompay_merchant_id: str
    freedompay_secret_key: str | None
    fx_rates_url: str | None
    fx_spread_bps: int
    fx_max_age_seconds: int
    webhook_allow_insecure_targets: frozenset[str]
    rate_limit_auth: str
    rate_limit_read: str
    rate_limit_write: str
    rate_limit_page: str
    rate_limit_unauth: str
    rate_limit_login: str
    payout_ceilings: Mapping[str, str]
    payout_approval_above: str | None
    screening_list: Path | None
    metrics_token: str | None
    trusted_proxies: int
    log_level: str
    database_connections: int
    smtp_url: str | None
    mail_from: str
    telegram_bot_token: str | None
    telegram_bot_name: str
    telegram_base_url: str
    telegram_page_url: str
    help_url: str | None
    terms_url: str | None
    sweep_threshold_usdc: str
    sweep_dust_usdc: str
    sweep_age_seconds: int
    payout_liquidity_alarm_seconds: int
    kyc_documents_kept_days: int
    kyc_provider: str

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read and check the settings.

        Raises:
            ConfigError: something is missing, malformed or unsafe in production.
        """
        values = dict(environ)
        if not values.get("DATABASE_URL"):
            values = {**_stack_settings(home(environ)), **environ}
        missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not values.get(name)]
        if missing:
            raise ConfigError(
                f"{' and '.join(missing)} not set, and no stack is configured in {home(environ)}. "
                "Run `make up`, or set them to use services of your own."
            )
        config = cls._from(values)
        problems = config.problems()
        if problems:
            raise ConfigError("; ".join(problems))
        return config

    @classmethod
    def _from(cls, values: Mapping[str, str]) -> "Config":
        port = values.get("PORT") or "8000"
        added = further.read(values.get(further.SETTING, ""))
        targets = values.get("WEBHOOK_ALLOW_INSECURE_TARGETS", "").replace(",", " ").split()
        return cls(
            environment=values.get("PROTONPAY_ENV") or PRODUCTION,
            database_url=values["DATABASE_URL"],
            redis_url=values["REDIS_URL"],
            public_url=(values.get("PUBLIC_URL") or f"http://127.0.0.1:{port}").rstrip("/"),
            secret_key=values.get("SECRET_KEY", ""),
            data_key=values.get("DATA_KEY", ""),
            previous_data_key=values.get("DATA_KEY_PREVIOUS") or None,
            keyring_path=Path(values.get("KEYRING_PATH") or "keyring.json"),
            keyring_passphrase=values.get("KEYRING_PASSPHRASE") or None,
            rpc_urls={
                **{name: values.get(f"{name.upper()}_RPC_URL", "") for name in BUILT_IN},
                **added.rpc_urls,
            },
            evm_networks=added,
            second_rpc_urls=_by_network(values, "RPC_URL_2"),
            large_deposits=_by_network(values, "LARGE_DEPOSIT", LARGE_DEPOSIT),
            tap_base_url=values.get("TAP_BASE_URL") or "https://api.tap.company/v2",
            tap_secret_key=values.get("TAP_SECRET_KEY") or None,
            yookassa_base_url=values.get("YOOKASSA_BASE_URL") or "https://api.yookassa.ru/v3",
            yookassa_shop_id=values.get("YOOKASSA_SHOP_ID", ""),
            yookassa_secret_key=values.get("YOOKASSA_SECRET_KEY") or None,
            yookassa_networks=values.get("YOOKASSA_NETWORKS") or YOOKASSA_NETWORKS,
            freedompay_base_url=values.get("FREEDOMPAY_BASE_URL") or "https://api.freedompay.kz",
            freedompay_merchant_id=values.get("FREEDOMPAY_MERCHANT_ID", ""),
            freedompay_secret_key=values.get("FREEDOMPAY_SECRET_KEY") or None,
            fx_rates_url=values.get("FX_RATES_URL") or None,
            fx_spread_bps=int(values.get("FX_SPREAD_BPS") or 0),
            fx_max_age_seconds=int(values.get("FX_MAX_AGE_SECONDS") or 900),
            webhook_allow_insecure_targets=frozenset(targets),
            rate_limit_auth=values.get("RATE_LIMIT_AUTH") or "5 per minute",
            rate_limit_read=values.get("RATE_LIMIT_READ") or "60 per minute",
            rate_limit_write=values.get("RATE_LIMIT_WRITE") or "30 per minute",
            rate_limit_page=values.get("RATE_LIMIT_PAGE") or "600 per minute",
            rate_limit_login=values.get("RATE_LIMIT_LOGIN") or "10 per 15 minutes",
            rate_limit_unauth=values.get("RATE_LIMIT_UNAUTH") or "120 per minute",
            payout_approval_above=values.get("PAYOUT_APPROVAL_ABOVE") or None,
            payout_ceilings=_ceilings(values, added.rpc_urls),
            screening_list=Path(values["SCREENING_LIST"]) if values.get("SCREENING_LIST") else None,
            metrics_token=values.get("METRICS_TOKEN") or None,
            trusted_proxies=int(values.get("TRUSTED_PROXIES") or 0),
            log_level=values.get("LOG_LEVEL") or "INFO",
            database_connections=int(values.get("WEB_THREADS") or 4),
            smtp_url=values.get("SMTP_URL") or None,
            mail_from=values.get("MAIL_FROM") or f"Proton Pay <{production.MAIL_FROM}>",
            telegram_bot_token=values.get("TELEGRAM_BOT_TOKEN") or None,
            telegram_bot_name=values.get("TELEGRAM_BOT_NAME", "").removeprefix("@"),
            telegram_base_url=values.get("TELEGRAM_BASE_URL") or "https://api.telegram.org",
            telegram_page_url=values.get("TELEGRAM_PAGE_URL") or "https://t.me",
            help_url=values.get("HELP_URL") or None,
            terms_url=values.get("TERMS_URL") or None,
            sweep_threshold_usdc=values.get("SWEEP_THRESHOLD_USDC") or "5",
            sweep_dust_usdc=values.get("SWEEP_DUST_USDC") or "0.5",
            sweep_age_seconds=int(values.get("SWEEP_AGE_SECONDS") or 7 * 24 * 3600),
            payout_liquidity_alarm_seconds=int(values.get("PAYOUT_LIQUIDITY_ALARM_SECONDS") or 300),
            kyc_provider=values.get("KYC_PROVIDER") or MANUAL,
            kyc_documents_kept_days=int(values.get("KYC_DOCUMENTS_KEPT_DAYS") or FIVE_YEARS_DAYS),
        )

    def card_providers(self) -> dict[str, dict[str, str] | None]:
        """Return what each card provider's adapter is made with; None is not set up."""
        return {
            "tap": self._tap(),
            "yookassa": self._yookassa(),
            "freedompay": self._freedompay(),
        }

    def identity_providers(self) -> dict[str, dict[str, str]]:
        """Return what each identity provider's adapter is made with, of those that are set up."""
        return {}

    def _tap(self) -> dict[str, str] | None:
        if not self.tap_secret_key:
            return None
        return {"base_url": self.tap_base_url, "secret_key": self.tap_secret_key}

    def _yookassa(self) -> dict[str, str] | None:
        if not (self.yookassa_secret_key and self.yookassa_shop_id):
            return None
        return {
            "base_url": self.yookassa_base_url,
            "shop_id": self.yookassa_shop_id,
            "secret_key": self.yookassa_secret_key,
            "networks": self.yookassa_networks,
        }

    def _freedompay(self) -> dict[str, str] | None:
        if not (self.freedompay_secret_key and self.freedompay_merchant_id):
            return None
        return {
            "base_url": self.freedompay_base_url,
            "merchant_id": self.freedompay_merchant_id,
            "secret_key": self.freedompay_secret_key,
            "testing_mode": "0" if self.production else "1",
        }

    @property
    def production(self) -> bool:
        """Whether real money may move."""
        return self.environment == PRODUCTION

    def problems(self) -> list[str]:
        """List what is wrong with the settings, in words for the one who sets them."""
        found = []
        if self.environment not in (SANDBOX, PRODUCTION):
            found.append("PROTONPAY_ENV is sandbox or production")
        found += [
            f"{name} needs at least {SHORTEST_SECRET} characters"
            for name, value in self.secrets().items()
            if len(value) < SHORTEST_SECRET
        ]
        found += [f"{name} is not set" for name, url in self.nodes().items() if not url]
        found += self.evm_networks.problems
        if not 0 <= self.fx_spread_bps <= MOST_SPREAD_BPS:
            found.append(f"FX_SPREAD_BPS is between 0 and {MOST_SPREAD_BPS}")
        if self.fx_max_age_seconds < 1:
            found.append("FX_MAX_AGE_SECONDS is above 0")
        found += self._bad_sweeps()
        found += [
            f"LARGE_DEPOSIT of {name} is an amount of USDC"
            for name, written in self.large_deposits.items()
            if not _AMOUNT.fullmatch(written)
        ]
        found += [
            f"PAYOUT_CEILINGS of {where} is single/hour/day in USDC, a dash for none"
            for where, written in self.payout_ceilings.items()
            if not _CEILINGS.fullmatch(written)
        ]
        found += production.no_addresses(self.sources())
        found += production.unreadable(self.yookassa_networks)
        found += production.no_mail(self.smtp_url, self.mail_from)
        bot = (self.telegram_bot_token, self.telegram_bot_name, self.telegram_page_url)
        found += [*production.no_bot(*bot), *production.no_links(self.help_url, self.terms_url)]
        if self.production:
            found += production.unsafe(
                {
                    "PUBLIC_URL": self.public_url,
                    "WEBHOOK_ALLOW_INSECURE_TARGETS": " ".join(self.webhook_allow_insecure_targets),
                    "YOOKASSA_NETWORKS": self.yookassa_networks,
                    "SMTP_URL": self.smtp_url or "",
                    "MAIL_FROM": self.mail_from,
                    "TAP_SECRET_KEY": self.tap_secret_key or "",
                    "YOOKASSA_SECRET_KEY": self.yookassa_secret_key or "",
                    "FREEDOMPAY_SECRET_KEY": self.freedompay_secret_key or "",
                },
                nodes=self.nodes(),
                sources=self.sources(),
                secrets=self.secrets(),
            )
        return found

    def _bad_sweeps(self) -> list[str]:
        amounts = {
            "SWEEP_THRESHOLD_USDC": self.sweep_threshold_usdc,
            "SWEEP_DUST_USDC": self.sweep_dust_usdc,
        }
        found = [
            f"{name} is an amount above 0 with at most six decimals"
            for name, text in amounts.items()
            if not USDC.fullmatch(text) or not text.strip("0.")
        ]
        if self.sweep_age_seconds < 0:
            found.append("SWEEP_AGE_SECONDS is not negative")
        if not _AMOUNT.fullmatch(self.payout_approval_above or "0"):
            found.append("PAYOUT_APPROVAL_ABOVE is an amount of USDC")
        if self.payout_liquidity_alarm_seconds < 0:
            found.append("PAYOUT_LIQUIDITY_ALARM_SECONDS is not negative")
        if self.kyc_provider not in IDENTITY_PROVIDERS:
            found.append(f"KYC_PROVIDER is one of {', '.join(IDENTITY_PROVIDERS)}")
        if self.kyc_provider not in {MANUAL, *self.identity_providers()}:
            found.append(f"KYC_PROVIDER is {self.kyc_provider}, and its settings are missing")
        if not 1 <= self.kyc_documents_kept_days <= LONGEST_KEPT_DAYS:
            found.append(f"KYC_DOCUMENTS_KEPT_DAYS is between 1 and {LONGEST_KEPT_DAYS}")
        return found

    def secrets(self) -> dict[str, str]:
        """Return what must be long and nobody else's, by setting."""
        return {"SECRET_KEY": self.secret_key, "DATA_KEY": self.data_key}

    def nodes(self) -> dict[str, str]:
        """Return the nodes' addresses, by setting."""
        return {
            f"{name.upper()}_RPC_URL" if name in BUILT_IN else f"{further.SETTING}: {name}": url
            for name, url in self.rpc_urls.items()
        } | {f"{name.upper()}_RPC_URL_2": url for name, url in self.second_rpc_urls.items()}

    def sources(self) -> dict[str, str]:
        """Return those whose word is believed: of money, of rates, of who writes to our bot."""
        return {
            "TAP_BASE_URL": self.tap_base_url,
            "YOOKASSA_BASE_URL": self.yookassa_base_url,
            "FREEDOMPAY_BASE_URL": self.freedompay_base_url,
            "FX_RATES_URL": self.fx_rates_url or "",
            "TELEGRAM_BASE_URL": self.telegram_base_url,
        }


def _by_network(values: Mapping[str, str], setting: str, usual: str = "") -> dict[str, str]:
    """Read a setting that a network may have of its own, and all together if one is usual."""
    of_all = usual and (values.get(setting) or usual)
    found = {name: values.get(f"{name.upper()}_{setting}") or of_all for name in BUILT_IN}
    return {name: value for name, value in found.items() if value}


def _ceilings(values: Mapping[str, str], further_names: Iterable[str]) -> dict[str, str]:
    names = (*BUILT_IN, *further_names)
    named = {"*": "PAYOUT_CEILINGS"} | {name: f"{name.upper()}_PAYOUT_CEILINGS" for name in names}
    return {where: values[name] for where, name in named.items() if values.get(name)}


def _stack_settings(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / "stack.env").read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}
