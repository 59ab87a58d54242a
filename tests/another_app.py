"""An application with other settings, beside the one of the tests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask import Flask

from config import Config
from protonpay.app import create_app
from protonpay.portal.client.api import api
from protonpay.store.db import db


@contextmanager
def another_app(settings: Mapping[str, str], **changes: str) -> Iterator[Flask]:
    """Make an application of its own; what it bound for the process is bound back afterwards."""
    pages_ask = api._app
    made = create_app(Config.load({**settings, **changes}))
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        yield made
    finally:
        _let_go(made)
        _let_go(create_app(Config.load(settings)))
        if pages_ask is not None:
            api.bind(pages_ask)


def _let_go(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
