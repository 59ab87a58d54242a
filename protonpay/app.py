"""The application factory: binds every port to its settings and opens every room."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Config
from protonpay.address_book.blueprint import blp as address_book_blp
from protonpay.admin.blueprint import blp as admin_blp
from protonpay.admin.blueprint import entrance as admin_entrance
from protonpay.api_keys import service as api_keys
from protonpay.api_keys.blueprint import blp as api_keys_blp
from protonpay.auth import sessions as auth_sessions
from protonpay.auth.account_blueprint import blp as account_blp
from protonpay.auth.blueprint import blp as auth_blp
from protonpay.auth.factor_blueprint import blp as two_factor_blp
from protonpay.auth.passkey_blueprint import blp as passkeys_blp
from protonpay.cards.registry import card_providers
from protonpay.chains import keyring
from protonpay.chains.registry import NETWORKS, ChainSettings, chains
from protonpay.cli import groups
from protonpay.deposits.blueprint import blp as deposits_blp
from protonpay.deposits.callbacks import blp as callbacks_blp
from protonpay.events import waiting
from protonpay.events.blueprint import blp as events_blp
from protonpay.fx.http_rates import HttpRates
from protonpay.fx.service import rates
from protonpay.identity.registry import identity_providers
from protonpay.invoices.blueprint import blp as invoices_blp
from protonpay.invoices.service import owner as invoice_owner
from protonpay.kernel.money import Usdc
from protonpay.kyc.blueprint import blp as kyc_blp
from protonpay.kyc.documents import retention as documents_retention
from protonpay.linked_wallets.blueprint import blp as linked_wallets_blp
from protonpay.mail.service import office
from protonpay.mail.smtp import Server, Smtp
from protonpay.notifications.blueprint import blp as notifications_blp
from protonpay.operators import service as operators
from protonpay.overview.blueprint import blp as overview_blp
from protonpay.passkeys.relying_party import relying_party
from protonpay.payouts.approval import threshold as approval_threshold
from protonpay.payouts.blueprint import blp as payouts_blp
from protonpay.payouts.ceilings import signer
from protonpay.payouts.waits import alarm as payout_alarm
from protonpay.plans.blueprint import blp as plans_blp
from protonpay.portal.client import visits
from protonpay.portal.client.pages import PAGES as CLIENT_PAGES
from protonpay.portal.components import components as portal_components
from protonpay.portal.letters import letters as portal_letters
from protonpay.portal.pages import pages as portal_pages
from protonpay.portal.pay_forms import pay_pages
from protonpay.portal.reference.pages import reference as portal_reference
from protonpay.portal.reference.pages import source as api_document
from protonpay.portal.troubles import troubles as portal_troubles
from protonpay.proofs.blueprint import blp as proofs_blp
from protonpay.request_log import recording as request_log
from protonpay.request_log.blueprint import blp as requests_blp
from protonpay.screening.offline import OfflineList
from protonpay.screening.service import screening
from protonpay.statements.blueprint import blp as statements_blp
from protonpay.statements.printing import press
from protonpay.status.blueprint import blp as status_blp
from protonpay.status.blueprint import metrics_door
from protonpay.status.blueprint import pages as metrics_pages
from protonpay.store import data_keys, db
from protonpay.store.queue import door
from protonpay.store.secrets import safe
from protonpay.teams import permissions as team_permissions
from protonpay.teams import service as teams
from protonpay.teams.blueprint import blp as team_blp
from protonpay.teams.membership_blueprint import blp as memberships_blp
from protonpay.telegram import messages
from protonpay.telegram.bot import Bot
from protonpay.telegram.service import line as telegram_line
from protonpay.telemetry import logs
from protonpay.test_mode import failing
from protonpay.test_mode.blueprint import blp as test_mode_blp
from protonpay.transfers.blueprint import blp as transfers_blp
from protonpay.treasury.service import rules as sweep_rules
from protonpay.two_factor import service as two_factor
from protonpay.users import service as users
from protonpay.users.blueprint import blp as preferences_blp
from protonpay.wallets.recording import owners
from protonpay.web import answers, errors, limits, paths, tokens
from protonpay.web.api import ProblemApi
from protonpay.web.auth import keys, sessions
from protonpay.web.body import MAX_BODY_BYTES
from protonpay.web.links import links
from protonpay.web.members import members
from protonpay.web.operators import SECURITY as OPERATORS_ONLY
from protonpay.web.operators import desk
from protonpay.web.paging import cursors
from protonpay.web.sheets import desk as sheets_desk
from protonpay.web.step_up import factors
from protonpay.webhooks.blueprint import blp as webhooks_blp
from protonpay.wire.guard import targets

BLUEPRINTS = (
    account_blp,
    preferences_blp,
    two_factor_blp,
    passkeys_blp,
    auth_blp,
    overview_blp,
    statements_blp,
    deposits_blp,
    payouts_blp,
    transfers_blp,
    plans_blp,
    api_keys_blp,
    webhooks_blp,
    events_blp,
    requests_blp,
    notifications_blp,
    invoices_blp,
    kyc_blp,
    linked_wallets_blp,
    address_book_blp,
    team_blp,
    memberships_blp,
    proofs_blp,
    test_mode_blp,
    callbacks_blp,
    status_blp,
)
"""In the order of the API document; the OpenAPI document follows it."""
SANDBOX_ONLY = frozenset({test_mode_blp})
"""What production neither has nor tells of."""

ADMIN_BLUEPRINTS = (admin_entrance, admin_blp)
"""Of operators, in a document of their own: no client's program is generated from it."""
_OF_ADMIN = """What operators of this installation see and do. Each call that changes something asks
for a `reason` and stands in the audit log; each asks for a role (docs/operations.md)."""


def create_app(config: Config) -> Flask:
    """Build the application of one process."""
    logs.configure(config.log_level)
    app = Flask("protonpay", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign] # as Flask documents it
    _bind_stores(app, config)
    _bind_ports(config)
    _bind_web(app, config)
    _open_rooms(app, production=config.production)
    if not config.production:
        failing.init_app(app)
    _add_commands(app, production=config.production)
    return app


def unlock(config: Config) -> None:
    """Open the keyring in this process: of all processes only the chain worker does.

    Raises:
        KeyringError: no such file, or not its passphrase.
    """
    keys = keyring.Keyring.open(config.keyring_path, config.keyring_passphrase or "")
    chains.bind(replace(_chain_settings(config), keyring=keys))


def _bind_stores(app: Flask, config: Config) -> None:
    db.bind(app, config.database_url, pool_size=config.database_connections)
    Migrate(app, db.db, directory=str(Path(__file__).parents[1] / "migrations"))
    door.bind(config.redis_url)
    safe.bind(
        config.data_key,
        previous=config.previous_data_key,
        kept=partial(data_keys.kept, config.database_url),
    )


def _bind_ports(config: Config) -> None:
    NETWORKS.bind(config.evm_networks.networks)
    chains.bind(_chain_settings(config))
    card_providers.bind(config.card_providers(), live=config.production)
    rates.bind(_rate_source(config))
    sweep_rules.bind(
        Usdc.parse(config.sweep_threshold_usdc),
        timedelta(seconds=config.sweep_age_seconds),
        Usdc.parse(config.sweep_dust_usdc),
    )
    owners.bind({"invoice": invoice_owner})
    above = config.payout_approval_above
    approval_threshold.bind(None if above is None else Usdc.parse(above))
    payout_alarm.bind(config.payout_liquidity_alarm_seconds)
    identity_providers.bind(config.kyc_provider, config.identity_providers())
    documents_retention.bind(config.kyc_documents_kept_days)
    listed = config.screening_list
    # Without its list it does not start: what screens nothing would say that nobody is listed.
    screening.bind(None if listed is None else OfflineList(listed))
    carrier = None
    if config.smtp_url is not None:
        carrier = Smtp(Server.read(config.smtp_url), config.mail_from)
    office.bind(carrier, test=not config.production, public_url=config.public_url)
    office.copy_to(messages.copy)
    telegram_line.bind(_bot(config), f"{config.telegram_page_url}/{config.telegram_bot_name}")
    press.bind(test=not config.production)
    signer.bind(config.payout_ceilings)
    waiting.room.bind(config.database_connections)
    targets.bind(config.webhook_allow_insecure_targets, config.public_url)


def _bot(config: Config) -> Bot | None:
    if config.telegram_bot_token is None:
        return None
    return Bot(config.telegram_base_url, config.telegram_bot_token)


def _chain_settings(config: Config) -> ChainSettings:
    return ChainSettings(
        config.rpc_urls,
        keyring.public_addresses(config.keyring_path),
        second_urls=config.second_rpc_urls,
        large={name: Usdc.parse(amount) for name, amount in config.large_deposits.items()},
    )


def _rate_source(config: Config) -> HttpRates | None:
    if config.fx_rates_url is None:
        return None
    return HttpRates(
        config.fx_rates_url,
        max_age_seconds=config.fx_max_age_seconds,
        spread_basis_points=config.fx_spread_bps,
    )


def _bind_web(app: Flask, config: Config) -> None:
    tokens.init_app(app, secret_keys=(config.secret_key,), issuer=config.public_url)
    sessions.bind(auth_sessions.stands)
    keys.bind(api_keys.open_key)
    relying_party.bind(config.public_url)
    desk.bind(operators.opened)
    members.bind(teams.opened, team_permissions.roles)
    factors.bind(two_factor.proved, two_factor.is_enabled)
    cursors.bind(config.secret_key)
    sheets_desk.bind(config.database_connections, users.time_zone)
    links.bind(config.public_url)
    metrics_door.bind(config.metrics_token, production=config.production)
    paths.init_app(app)
    answers.init_app(app)
    request_log.init_app(app)
    limits.init_app(
        app,
        redis_url=config.redis_url,
        auth=config.rate_limit_auth,
        read=config.rate_limit_read,
        write=config.rate_limit_write,
        page=config.rate_limit_page,
        unauth=config.rate_limit_unauth,
        login=config.rate_limit_login,
    )
    errors.init_app(app)
    visits.init_app(app, secret_key=config.secret_key)
    # Every page says so, where no money is real.
    app.jinja_env.globals["test_data"] = not config.production
    told = {"help": config.help_url, "terms": config.terms_url}
    app.jinja_env.globals["house_links"] = {what: url for what, url in told.items() if url}


def _add_commands(app: Flask, *, production: bool) -> None:
    for group in groups.EVERYWHERE if production else groups.IN_A_SANDBOX:
        app.cli.add_command(group)


def _open_rooms(app: Flask, *, production: bool) -> None:
    app.config.update(
        API_TITLE="Proton Pay",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
    )
    api = ProblemApi(app)
    for kind in (paths.RecordId, paths.EventId, paths.MonthName):
        api.register_converter(kind, paths.documented)
    for blueprint in BLUEPRINTS:
        if production and blueprint in SANDBOX_ONLY:
            continue
        api.register_blueprint(blueprint)
    _open_admin(app)
    app.register_blueprint(metrics_pages)
    app.register_blueprint(portal_troubles)
    app.register_blueprint(portal_pages)
    app.register_blueprint(pay_pages)
    app.register_blueprint(portal_letters)
    app.register_blueprint(portal_components)
    app.register_blueprint(portal_reference)
    api_document.bind(lambda: api.spec.to_dict())  # noqa: PLW0108 - written when it is read
    for pages in CLIENT_PAGES:
        app.register_blueprint(pages)


def _open_admin(app: Flask) -> None:
    app.config.update(
        ADMIN_API_TITLE="Proton Pay for operators",
        ADMIN_API_VERSION="v1",
        ADMIN_OPENAPI_VERSION="3.1.0",
        ADMIN_OPENAPI_URL_PREFIX="/api/admin",
    )
    api = ProblemApi(app, prefix="ADMIN", about=_OF_ADMIN, credentials=OPERATORS_ONLY)
    api.register_converter(paths.RecordId, paths.documented)
    for blueprint in ADMIN_BLUEPRINTS:
        api.register_blueprint(blueprint)
