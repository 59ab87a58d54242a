"""`flask sandbox`: the world outside, in a sandbox only."""

from types import ModuleType

import click
from flask.cli import AppGroup

from protonpay.auth import service as auth
from protonpay.auth.devices import Device
from protonpay.cards.registry import PROVIDERS
from protonpay.chains.registry import NETWORKS, chains
from protonpay.cli.choices import OneOf
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.sandbox import outside
from protonpay.store.db import transaction
from protonpay.treasury import service as treasury
from protonpay.users import service as users

sandbox = AppGroup("sandbox", help="Play the world outside: pay, freeze, prepare.")

_NETWORK = click.option("--network", required=True, type=OneOf(lambda: sorted(NETWORKS)))
_TREASURY = Usdc.parse("1000000")
_PRESENT = Usdc.parse("1000")
_GAS = {"evm": 10 * 10**18, "solana": 100 * 10**9}


@sandbox.command()
@_NETWORK
@click.option("--to", required=True, help="Wallet address.")
@click.option("--amount", required=True, help="USDC, exact.")
def fund(network: str, to: str, amount: str) -> None:
    """Send USDC to an address from a wallet outside of Proton Pay."""
    sent = _outside(network).send_usdc(*_where(network), to, Usdc.parse(amount).micro)
    click.echo(sent)


@sandbox.command()
@_NETWORK
@click.option("--address", required=True, help="Wallet address.")
def freeze(network: str, address: str) -> None:
    """Have Circle block an address."""
    click.echo(_outside(network).freeze(*_where(network), address))


@sandbox.command()
@_NETWORK
@click.option("--address", required=True, help="Wallet address.")
def unfreeze(network: str, address: str) -> None:
    """Have Circle let an address go."""
    click.echo(_outside(network).unfreeze(*_where(network), address))


@sandbox.command()
@click.option("--demo-email", required=True)
@click.option("--demo-password", required=True)
def seed(demo_email: str, demo_password: str) -> None:
    """Fill the treasuries and gas wallets, and make the demo account. Repeats change nothing."""
    with transaction():
        ledger.open_accounts(chart.of_house(list(NETWORKS), list(PROVIDERS)))
    for network in NETWORKS:
        _fill_gas(network)
        _fill_treasury(network)
        click.echo(f"{network}: custody {_custody(network)} USDC")
    user = users.find_by_email(demo_email)
    user_id = user.id if user else _register(demo_email, demo_password)
    with transaction():
        ledger.post(entries.gift(f"demo:{user_id}", user_id, _PRESENT))
    click.echo(f"{demo_email}: ready")


def _fill_gas(network: str) -> None:
    family, ours = NETWORKS[network].family, chains.addresses()
    world, url = _outside(network), chains.rpc_url(network)
    for wallet in (ours.gas[family], ours.sweeper[family]):
        if world.native_balance(url, wallet) < _GAS[family] // 2:
            world.send_native(url, wallet, _GAS[family])


def _fill_treasury(network: str) -> None:
    """Top up the treasury, then book what it holds beyond the book: a repeat books the rest."""
    world, where = _outside(network), _where(network)
    wallet = chains.addresses().treasury[NETWORKS[network].family]
    if Usdc(world.usdc_balance(*where, wallet)) < _TREASURY.share_floor(5000):
        world.send_usdc(*where, wallet, _TREASURY.micro)
    holds = Usdc(world.usdc_balance(*where, wallet))
    with transaction():
        # Custody is the treasury and what lies on deposit addresses.
        credited, suspended = (
            ledger.moved(kind, chart.custody(network)) for kind in ("chain_credit", "chain_suspend")
        )
        lying = credited + suspended - treasury.left(network)
        unbooked = holds + lying + ledger.balance(chart.custody(network))
        if unbooked > Usdc(0):
            ledger.post(entries.capital(f"seed:{network}:{holds}", network, unbooked))


def _custody(network: str) -> Usdc:
    return ledger.balance(chart.custody(network))


def _register(email: str, password: str) -> str:
    device = Device("127.0.0.1", "flask sandbox seed")
    return auth.register(name="Demo", email=email, password=password, device=device).user.id


def _outside(network: str) -> ModuleType:
    return outside.of(NETWORKS[network].family)


def _where(network: str) -> tuple[str, str]:
    return chains.rpc_url(network), NETWORKS[network].usdc
