"""Addresses to hand out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import PASSPHRASE
from tests.wallets import pools


@pytest.fixture
def fill(house: Flask, keyring_path: Path) -> Callable[..., None]:
    """What fills the pool with so many addresses of each family."""
    return lambda count=4: pools.fill(keyring_path, PASSPHRASE, count)
