"""One payment at a time, through a port that takes several."""

from protonpay.chains.port import Chain, SendOrder, SendOutcome, SignedSend, Terms


def terms_of(chain: Chain, order: SendOrder) -> Terms:
    """Return the terms of one order; what hinders it is raised."""
    prospect = chain.read_terms([order])
    for why in prospect.hindered.values():
        raise why
    assert list(prospect.payable) == [order]
    return prospect.terms


def outcome_of(chain: Chain, send: SignedSend) -> SendOutcome:
    """Return what became of the only payment of a send."""
    (outcome,) = chain.outcomes(send).values()
    return outcome
