"""Review by people: an application waits until an operator decides (`flask kyc`, /api/admin)."""

from protonpay.identity.port import Application, Outcome, Verdict


class ManualReview:
    """Nobody outside is asked."""

    name = "manual"
    ask_again_seconds = None

    def hand_in(self, application: Application) -> str:
        """Leave it where it is: operators read cases where they are kept."""
        return application.id

    def verdict(self, reference: str) -> Verdict:  # noqa: ARG002 - the port's
        """Know nothing: a person decides."""
        return Verdict(Outcome.UNKNOWN)
