"""`flask ops rotate-key` and `flask ops keys`: what secrets at rest are sealed with."""

import sys
import time

import click

from protonpay.store import data_keys
from protonpay.store.secrets import FRESH_SECONDS


@click.command("rotate-key")
def rotate_key() -> None:
    """Seal every secret at rest with a new key, while everything runs; exit 1 if one stays behind.

    Stopped anywhere and begun again, it goes on: only one more key was made.
    """
    click.echo(f"key {data_keys.add()} seals from now on")
    # Until every process has looked, one may still seal with the key before it.
    time.sleep(FRESH_SECONDS)  # noqa: TID251 - a command in a terminal, no job
    lost = 0
    for line in data_keys.reseal():
        lost += line.unreadable
        said = f", {line.unreadable} that no key opens" if line.unreadable else ""
        click.echo(f"{line.column:<36}{line.done:>8} sealed anew{said}")
    for version in data_keys.drop_unused():
        click.echo(f"key {version} is dropped: nothing is sealed with it")
    sys.exit(1 if lost else 0)


@click.command("keys")
def keys() -> None:
    """List the keys that secrets at rest are sealed with, and how many each seals."""
    click.echo(f"{'DATA_KEY':<12}{data_keys.used(None):>8} sealed")
    for version, made in sorted(data_keys.versions().items()):
        click.echo(
            f"key {version:<8}{data_keys.used(version):>8} sealed, made {made:%Y-%m-%d %H:%M}"
        )
