"""What the program logs while it is tested, searched for what nobody may read there."""

import logging
import re

from tests.actors import PASSWORD

SECRETS = re.compile(
    "|".join(
        (
            re.escape(PASSWORD),
            r"sk_live_[0-9A-Za-z]{38}",
            r"whsec_[0-9A-Za-z+/]{20,}",
            # a token of ours: header, payload and signature
            r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}",
            "secret key of the tests",
            "data key of the tests",
            "keyring of the tests",
            "sk_test_of_the_tests",
        )
    )
)


class Overheard(logging.Handler):
    """Keeps the records that hold a secret."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if SECRETS.search(f"{record.getMessage()} {record.exc_info or ''}"):
            # As it is written: what is taken out before that is nobody's to read.
            written = [each.format(record) for each in logging.getLogger().handlers[:1]]
            self.records += [text for text in written if SECRETS.search(text)]
