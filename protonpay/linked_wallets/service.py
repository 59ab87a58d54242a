"""Ask for a signature, link the wallet it proves, let it go again."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select

from protonpay.chains import ownership
from protonpay.chains.addresses import check_address
from protonpay.chains.registry import chains
from protonpay.chains.registry import network as named_network
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.linked_wallets.models import LinkedWallet, WalletChallenge
from protonpay.store.db import db, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users

MOST_WALLETS = 20
CHALLENGE_LIFE = timedelta(minutes=15)


def challenge(user_id: str, *, network: str, address: str, site: str) -> WalletChallenge:
    """Write the message whose signature will prove a wallet.

    Args:
        user_id: who says it is theirs.
        network: a network's documented name.
        address: the wallet.
        site: our own public address; the message names it, so that a signature given to
            another site proves nothing here.

    Raises:
        Invalid: no such network, or not a wallet's address (``unsupported_network``,
            ``invalid_address``).
    """
    of = named_network(network)
    now = clock.now()
    request = ownership.Request(
        network=of,
        address=check_address(of, address, chains.own_wallets(of)),
        domain=urlsplit(site).netloc,
        uri=site,
        nonce=ids.new_id(),
        issued_at=now,
        expires_at=now + CHALLENGE_LIFE,
    )
    with transaction() as session:
        session.execute(
            delete(WalletChallenge).where(
                WalletChallenge.user_id == user_id, WalletChallenge.expires_at < now
            )
        )
        asked = WalletChallenge(
            id=ids.new_id(),
            user_id=user_id,
            network=network,
            address=request.address,
            message=ownership.message(request),
            created_at=now,
            expires_at=request.expires_at,
        )
        session.add(asked)
    return asked


def link(user_id: str, *, challenge_id: str, signature: str) -> LinkedWallet:
    """Link the wallet of a challenge to who had it signed.

    Raises:
        NotFound: there is no such challenge of this user.
        Invalid: it was used or its time is over (``challenge_expired``), or the wallet's key
            did not sign it (``invalid_signature``); it can be tried again until it expires.
        Conflict: the wallet is linked already, or there are 20 (``duplicate``,
            ``too_many_wallets``).
    """
    with transaction() as session:
        users.lock(user_id)
        asked = session.get(WalletChallenge, challenge_id, populate_existing=True)
        if asked is None or asked.user_id != user_id:
            raise NotFound("not_found", "There is no such challenge.")
        now = clock.now()
        if asked.used_at is not None or asked.expires_at <= now:
            raise Invalid("challenge_expired", "This challenge is over. Ask for a new one.")
        of = named_network(asked.network)
        if not ownership.is_signed(of, asked.address, asked.message, signature):
            said = "This is not the wallet's signature under the message of the challenge."
            raise Invalid("invalid_signature", said)
        _check_room(asked)
        asked.used_at = now
        wallet = LinkedWallet(
            id=ids.new_id(),
            user_id=user_id,
            network=asked.network,
            address=asked.address,
            message=asked.message,
            signature=signature,
            created_at=now,
        )
        session.add(wallet)
    return wallet


def wallets(user_id: str, part: Part) -> Sequence[LinkedWallet]:
    """Return a part of a user's linked wallets, newest first."""
    mine, stands = LinkedWallet.user_id == user_id, LinkedWallet.unlinked_at.is_(None)
    return newest_first(LinkedWallet, part, mine, stands)


def get(user_id: str, wallet_id: str) -> LinkedWallet:
    """Return a linked wallet of a user.

    Raises:
        NotFound: there is none, or it is somebody else's, or was unlinked.
    """
    wallet = db.session.get(LinkedWallet, wallet_id, populate_existing=True)
    if wallet is None or wallet.user_id != user_id or wallet.unlinked_at is not None:
        raise NotFound("not_found", "There is no such wallet.")
    return wallet


def unlink(user_id: str, wallet_id: str) -> None:
    """Let a wallet go; what was paid to it is not changed by that.

    Raises:
        NotFound: as ``get``.
    """
    with transaction():
        users.lock(user_id)
        get(user_id, wallet_id).unlinked_at = clock.now()


def _check_room(asked: WalletChallenge) -> None:
    standing = select(LinkedWallet.id).where(
        LinkedWallet.user_id == asked.user_id, LinkedWallet.unlinked_at.is_(None)
    )
    same = standing.where(
        LinkedWallet.network == asked.network, LinkedWallet.address == asked.address
    )
    if db.session.scalar(same) is not None:
        raise Conflict("duplicate", "This wallet is linked already.")
    if db.session.scalars(select(func.count()).select_from(standing.subquery())).one() >= (
        MOST_WALLETS
    ):
        raise Conflict("too_many_wallets", "At most {limit} wallets.", limit=MOST_WALLETS)
