"""The public client of Solana for Python works against the sandbox's node as it is."""

import asyncio

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized
from solana.rpc.models import TokenAccountOpts, TxOpts
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from tests.chains.solana.local_node import SOL, USDC, pays, running


async def journey(node) -> None:
    payer, payee = Keypair(), Keypair().pubkey()
    async with AsyncClient(node.url) as client:
        await client.request_airdrop(payer.pubkey(), 5 * SOL)
        node.finalize()
        latest = (await client.get_latest_blockhash(Confirmed)).value
        message = MessageV0.try_compile(
            payer.pubkey(), [pays(payer, payee, SOL)], [], latest.blockhash
        )
        transaction = VersionedTransaction(message, [payer])
        options = TxOpts(preflight_commitment=Confirmed)
        signature = (await client.send_transaction(transaction, options)).value
        assert signature == transaction.signatures[0]
        node.finalize()
        confirmed = await client.confirm_transaction(
            signature, Finalized, last_valid_block_height=latest.last_valid_block_height
        )
        assert confirmed.value[0].err is None
        told = await client.get_transaction(signature, max_supported_transaction_version=1)
        assert told.value.transaction.meta.fee == 5000
        assert (await client.get_balance(payee)).value == SOL
        block = await client.get_block(told.value.slot, max_supported_transaction_version=1)
        assert len(block.value.transactions) == 1
        node.call("sandbox_sendUsdc", str(payee), 7)
        node.finalize()
        held = await client.get_token_accounts_by_owner_json_parsed(
            payee, TokenAccountOpts(mint=Pubkey.from_string(USDC))
        )
        account = held.value[0]
        assert account.account.data.parsed["info"]["tokenAmount"]["amount"] == "7"
        named = await client.get_signatures_for_address(account.pubkey, limit=5)
        assert named.value[0].err is None


@pytest.mark.slow
def test_a_payment_through_the_public_client():
    with running() as node:
        asyncio.run(journey(node))
