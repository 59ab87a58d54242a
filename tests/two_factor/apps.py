"""An authenticator app, as a person carries one."""

from dataclasses import dataclass, field
from typing import Any

import pyotp

from protonpay.kernel import clock
from tests.actors import PASSWORD, Actor
from tests.moments import Moments

STEP = 30


@dataclass
class App:
    """One secret; tells the code of a step before or after now."""

    secret: str
    recovery_codes: list[str] = field(default_factory=list)

    def code(self, steps: int = 0) -> str:
        moment = clock.to_epoch_ms(clock.now()) // 1000 + steps * STEP
        return pyotp.TOTP(self.secret).at(moment)

    def headers(self, steps: int = 0) -> dict[str, Any]:
        return {"X-2FA-Code": self.code(steps)}


def set_up(actor: Actor) -> App:
    answer = actor.post("/client/2fa/setup", {"password": PASSWORD})
    assert answer.status_code == 200, answer.get_json()
    return App(answer.get_json()["setup"]["secret"])


def enabled(actor: Actor, moments: Moments) -> App:
    """Set up and enable an app, and let the step of its first code pass."""
    app = set_up(actor)
    answer = actor.post("/client/2fa/enable", {"code": app.code()})
    assert answer.status_code == 200, answer.get_json()
    app.recovery_codes = answer.get_json()["recoveryCodes"]
    moments.pass_by(STEP)
    return app
