"""Pages that letters lead to: opening one does nothing, sending its form does.

Mail scanners open every link of a letter, so the link alone must not use the token up. The
token is the form's authority: it needs no session and no other proof.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request

from protonpay.auth import devices, emails, factor_resets, recovery
from protonpay.kernel.errors import Refusal
from protonpay.portal import words
from protonpay.portal.answers import page, spoken
from protonpay.web import messages
from protonpay.web.limits import AUTH, auth_rate, by_address

letters = Blueprint("letters", __name__, template_folder="templates", static_folder=None)
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Step:
    """What the link of a letter is for.

    Attributes:
        act: what sending the form does, with the token and, if there is one, the password.
        asks: whether the form has a password.
        again: where another link is asked for, if anybody may have one.
    """

    title: str
    said: str
    button: str
    done: str
    done_said: str
    act: Callable[[str, str], object]
    asks: bool = False
    again: str = ""


STEPS = {
    "verify-email": Step(
        "Confirm your e-mail address",
        "One more click, and this address is verified as yours.",
        "Confirm the address",
        "The address is confirmed",
        "You can close this page.",
        lambda token, _: emails.verify(token),
        again="/app/security",
    ),
    "reset-password": Step(
        "Choose a new password",
        "At least 12 characters. Every device is signed out.",
        "Set the password",
        "The password is set",
        "Sign in with it now.",
        lambda token, password: recovery.reset(token, password=password),
        asks=True,
        again="/forgot",
    ),
    "freeze": Step(
        "Stop the account?",
        "Nothing leaves it from then on, and everybody is signed out. What comes in is credited.",
        "Stop the account",
        "The account is stopped",
        "Choose a new password, then write to support.",
        lambda token, _: devices.freeze(token),
    ),
    "keep-second-factor": Step(
        "Keep the second factor?",
        "It will not be taken away. Do this if you have not asked for it, or have found the app.",
        "Keep the second factor",
        "The second factor stays",
        "If you have not asked for it, change your password, then write to support.",
        lambda token, _: factor_resets.keep(token),
    ),
}
_NAMES = "<any('verify-email', 'reset-password', 'freeze', 'keep-second-factor'):name>"


@letters.get(f"/{_NAMES}")
def ask(name: str) -> Response:
    """Show the form that the link of a letter leads to; nothing is done yet."""
    return _form(STEPS[name], request.args.get("token", ""))


@letters.post(f"/{_NAMES}")
@by_address.shared_limit(auth_rate, scope=AUTH)
def act(name: str) -> Response:
    """Do what the letter is about, once."""
    step, token = STEPS[name], request.form.get("token", "")
    password = request.form.get("password", "")
    try:
        step.act(token[:_LONGEST], password[:_LONGEST])
    except Refusal as refusal:
        refused = _form(step, token, refusal)
        refused.status_code = 409 if refusal.code == "email_taken" else 400
        return refused
    return _shown(step, done=True)


def _form(step: Step, token: str, refusal: Refusal | None = None) -> Response:
    said = refusal and messages.say(refusal.said, words.chosen(), refusal.values)
    over = refusal is not None and refusal.code == "invalid_link"
    return _shown(step, token=token, refused=said, over=over or not token)


def _shown(step: Step, **values: object) -> Response:
    language = words.chosen()
    say = words.speaker(language)
    html = render_template("letter_link.html", lang=language, say=say, step=step, **values)
    answer = spoken(language, page(html))
    answer.headers["Cache-Control"] = "no-store"
    return answer
