"""All pages of the client portal."""

from protonpay.portal.client import (
    account,
    building,
    depositing,
    money,
    notified,
    security,
    seeking,
    selling,
    team,
    testing,
    withdrawing,
)
from protonpay.portal.client.entry import entry
from protonpay.portal.client.screens import client

_WITH_SCREENS = (
    account,
    building,
    depositing,
    money,
    notified,
    security,
    seeking,
    selling,
    team,
    testing,
    withdrawing,
)
PAGES = (entry, client)
"""Blueprints; the modules that were imported have put their screens into the second."""
