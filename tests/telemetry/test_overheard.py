"""The ear that every test has: it hears what it is there for."""

import logging

import structlog

from tests.actors import PASSWORD
from tests.overheard import Overheard


def test_it_hears_what_is_written_and_not_what_is_taken_out_before(app: object):
    heard, root = Overheard(), logging.getLogger()
    # First, so that what is written is what is searched; the test's own ear is away meanwhile.
    others, root.handlers = root.handlers, [*root.handlers[:1], heard]
    try:
        structlog.get_logger("protonpay.web").warning("signed_in", tried=PASSWORD)
        logging.getLogger("a.library").warning("GET /x?key=%s", f"sk_live_{'a' * 38}")
        structlog.get_logger("protonpay.web").warning("signed_in", user_id="cm1")
    finally:
        root.handlers = others
    (written,) = heard.records
    assert PASSWORD in written
