"""What is said beside a field that was left blank: what to do, in the words of who fills it in.

The API says it in the words of a program's author.
"""

from collections.abc import Mapping
from http import HTTPStatus

from marshmallow import fields

from protonpay.portal import words
from protonpay.portal.client.api import Answer
from protonpay.portal.words import sentence
from protonpay.web import messages

_MISSING = str(fields.Field.default_error_messages["required"])
_SAID: Mapping[str, str] = {
    "network": sentence("Choose a network."),
    "amount": sentence("Enter an amount."),
    "email": sentence("Enter an e-mail address."),
    "password": sentence("Enter your password."),
    "newPassword": sentence("Enter a new password."),
    "code": sentence("Enter the code."),
    "walletAddress": sentence("Enter an address."),
    "address": sentence("Enter an address."),
    "permissions": sentence("Choose one at least."),
    "events": sentence("Choose one at least."),
    "country": sentence("Choose a country."),
    "content": sentence("Choose a file."),
}
_OTHERWISE = sentence("Fill this in.")


def worded(name: str, said: str) -> str:
    """Return what is said beside a field, by what the API has said of it."""
    language = words.chosen()
    if said != messages.say(_MISSING, language, {}):
        return said
    return words.speaker(language)(_SAID.get(name, _OTHERWISE))


def said_beside(name: str, said: str) -> Answer:
    """Return a refusal of our own of what was typed into a field, formed as the API's."""
    told = words.speaker(words.chosen())(said)
    errors = {"json": {name: [told]}}
    return Answer(HTTPStatus.BAD_REQUEST, {"message": told, "errors": errors})


def refusal(*names: str) -> Answer:
    """Return the API's refusal of a call that lacks members, where it lets them be left out."""
    told = messages.say(_MISSING, words.chosen(), {})
    errors = {"json": {name: [told] for name in names}}
    return Answer(HTTPStatus.BAD_REQUEST, {"code": "validation_error", "errors": errors})
