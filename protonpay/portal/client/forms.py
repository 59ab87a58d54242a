"""What a person types into a page, as members of an API call."""

import json
import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask import request
from werkzeug.datastructures import MultiDict

from protonpay.portal.client import blanks
from protonpay.wire.exact import refuse_bottomless

if TYPE_CHECKING:
    from protonpay.portal.client.api import Answer

KEY = "key"
CODE = "code"
NOT_KEPT = frozenset(
    {
        *("csrf_token", CODE, "password", "newPassword", "signature", "signed", "token"),
        # of a delivery that is examined, and of a person's papers
        *("secret", "headers", "body", "fullName", "dateOfBirth", "documentNumber"),
    }
)
"""Never written into a page or an address again."""
_SPACES = re.compile(r"[\s\u00a0\u202f]")
# 1,250 may be one and a quarter or a thousand and more: nobody guesses (portal reference §7).
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]*", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[0-9]+,(?![0-9]{3}$)[0-9]+", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


class Form:
    """The fields of a form, typed or given in the page's address, and what is wrong with them.

    Attributes:
        answer: the refusal of the call that was made of it, None if none was.
    """

    def __init__(self, typed: MultiDict[str, str] | None = None) -> None:
        self._typed = typed if typed is not None else request.values
        self.answer: Answer | None = None
        self.key = self._typed.get(KEY) or secrets.token_urlsafe(24)

    def __getitem__(self, name: str) -> str:
        return self._typed.get(name, "").strip()

    def every(self, name: str) -> Sequence[str]:
        """Return all values of a field that may have several."""
        return self._typed.getlist(name)

    def error(self, name: str) -> str:
        """Return what is wrong with a field, or nothing."""
        said = "" if self.answer is None else self.answer.errors.get(name, "")
        return blanks.worded(name, said)

    @property
    def code(self) -> str | None:
        """The code of a second factor, without the space that apps show in it."""
        return _SPACES.sub("", self[CODE]) or None

    def proof(self) -> dict[str, str]:
        """Return the code as the member of a call."""
        return {} if self.code is None else {CODE: self.code}

    def body(
        self,
        *texts: str,
        amounts: Sequence[str] = (),
        lists: Sequence[str] = (),
        whole: Sequence[str] = (),
        yes_no: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Return the members of a call; what was left empty is left out."""
        made: dict[str, Any] = {name: self[name] for name in texts}
        made |= {name: amount(self[name]) for name in amounts}
        made |= {name: int(self[name]) if _is_whole(self[name]) else self[name] for name in whole}
        filled: dict[str, Any] = {name: value for name, value in made.items() if value != ""}
        filled |= {name: list(self.every(name)) for name in lists if self.every(name)}
        return filled | {name: bool(self[name]) for name in yes_no}

    def secret(self, *names: str) -> dict[str, str]:
        """Return members as they were typed, of the form alone; what was left empty is left out."""
        typed = {name: request.form.get(name, "") for name in names}
        return {name: value for name, value in typed.items() if value}

    def lacks(self, *names: str) -> bool:
        """Tell whether a field is empty that this call needs, and have it said beside it."""
        blank = [name for name in names if not self[name]]
        if blank:
            self.answer = blanks.refusal(*blank)
        return bool(blank)

    def signed(self) -> dict[str, Any]:
        """Return what a passkey has signed, as the page's script has put it down."""
        text = self["signed"]
        try:
            refuse_bottomless(text.encode())
            made = json.loads(text)
        except ValueError:
            return {}
        return made if isinstance(made, dict) else {}

    def kept(self) -> list[tuple[str, str]]:
        """Return what may be shown again after the reader has signed in anew, and the key."""
        typed = [(name, value.strip()) for name, value in self._typed.items(multi=True)]
        return [(name, value) for name, value in typed if name not in NOT_KEPT and value]


def amount(typed: str) -> str:
    """Return an amount as the API reads it: ``12,5``, ``1 250.00`` and ``1,250.00`` are clear.

    What is not is left as it was typed, for the API to refuse.
    """
    text = _SPACES.sub("", typed)
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text


def _is_whole(text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None
