"""The sandbox's Solana node spells accounts, blocks and transactions as a real one does."""

import base64
import json
import urllib.error
import urllib.request

import pytest
from solders.account import Account
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import (
    Message,
    MessageAddressTableLookup,
    MessageV0,
    MessageV1,
    TransactionConfig,
)
from solders.pubkey import Pubkey
from solders.rpc import responses
from solders.transaction import VersionedTransaction

from protonpay.sandbox.solana import tokens
from protonpay.sandbox.solana.archive import Archive
from protonpay.sandbox.solana.bank import Bank
from protonpay.sandbox.solana.slots import GENESIS_SLOT, Timeline, height, skipped
from protonpay.sandbox.solana.tokens import ata
from tests.chains.solana.local_node import (
    ANY_VERSION,
    CONFIRMED,
    FINAL,
    PROCESSED,
    SOL,
    USDC,
    NodeError,
    pays,
    running,
)

MINT = Pubkey.from_string(USDC)
TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"


@pytest.fixture(scope="module")
def node():
    with running() as process:
        yield process


@pytest.fixture
def payee():
    return Keypair().pubkey()


@pytest.fixture
def paid(node, payee):
    """A finalized USDC payment: signature, slot and payee's token account."""
    signature = node.call("sandbox_sendUsdc", str(payee), 12_345_678)
    node.finalize()
    slot = node.call("getTransaction", signature, ANY_VERSION)["slot"]
    return signature, slot, str(ata(payee, MINT))


def code(node, method, *params) -> int:
    with pytest.raises(NodeError) as error:
        node.call(method, *params)
    return error.value.code


def legacy(node, payer, *steps):
    blockhash = Hash.from_string(node.value("getLatestBlockhash", CONFIRMED)["blockhash"])
    message = Message.new_with_blockhash(steps, payer.pubkey(), blockhash)
    return VersionedTransaction(message, [payer])


def version_one(node, payer, *steps):
    blockhash = Hash.from_string(node.value("getLatestBlockhash", CONFIRMED)["blockhash"])
    config = TransactionConfig(compute_unit_limit=10_000)
    message = MessageV1.try_compile(payer.pubkey(), steps, blockhash, config)
    return VersionedTransaction(message, [payer])


def test_a_reader_that_does_not_name_a_version_cannot_read_newer_ones(node, payee):
    payer = node.funded()
    makers = (legacy, type(node).transaction, version_one)
    signatures = [
        node.send(make(node, payer, pays(payer, payee, lamports)))
        for lamports, make in enumerate(makers, start=SOL)
    ]
    node.finalize()
    old, zero, one = signatures
    assert "version" not in node.call("getTransaction", old)
    assert code(node, "getTransaction", zero) == -32015
    assert code(node, "getTransaction", one, {"maxSupportedTransactionVersion": 0}) == -32015
    told = [node.call("getTransaction", signature, ANY_VERSION) for signature in signatures]
    assert [one["version"] for one in told] == ["legacy", 0, 1]
    assert told[2]["transaction"]["message"]["transactionConfig"] == {
        "computeUnitLimit": 10_000,
        "heapSize": None,
        "loadedAccountsDataSizeLimit": None,
        "priorityFee": None,
    }
    slot = told[0]["slot"]
    assert code(node, "getBlock", slot) == -32015
    assert code(node, "getBlock", slot, {"maxSupportedTransactionVersion": 0}) == -32015
    block = node.call("getBlock", slot, ANY_VERSION)
    assert [one["version"] for one in block["transactions"]] == ["legacy", 0, 1]


def test_a_usdc_payment_is_told_by_its_balances(node, payee, paid):
    signature, slot, account = paid
    told = node.call("getTransaction", signature, ANY_VERSION)
    place = told["transaction"]["message"]["accountKeys"].index(account)
    assert [one for one in told["meta"]["preTokenBalances"] if one["accountIndex"] == place] == []
    (after,) = [one for one in told["meta"]["postTokenBalances"] if one["accountIndex"] == place]
    amount = {"amount": "12345678", "decimals": 6, "uiAmount": None, "uiAmountString": "12.345678"}
    assert after == {
        "accountIndex": place,
        "mint": USDC,
        "owner": str(payee),
        "programId": TOKEN_PROGRAM,
        "uiTokenAmount": amount,
    }
    assert told["blockTime"] == node.call("getBlockTime", slot)


def test_a_payment_in_words(node, payee, paid):
    signature, _, account = paid
    told = node.call("getTransaction", signature, {"encoding": "jsonParsed", **ANY_VERSION})
    create, transfer, memo = told["transaction"]["message"]["instructions"]
    outside = str(tokens.OUTSIDE.pubkey())
    assert (create["program"], create["parsed"]["type"]) == (
        "spl-associated-token-account",
        "createIdempotent",
    )
    assert create["parsed"]["info"]["wallet"] == str(payee)
    assert transfer["parsed"] == {
        "type": "transferChecked",
        "info": {
            "source": str(ata(tokens.OUTSIDE.pubkey(), MINT)),
            "mint": USDC,
            "destination": account,
            "authority": outside,
            "tokenAmount": {
                "amount": "12345678",
                "decimals": 6,
                "uiAmount": None,
                "uiAmountString": "12.345678",
            },
        },
    }
    assert memo["parsed"].startswith("sandbox ")
    keys = told["transaction"]["message"]["accountKeys"]
    assert keys[0] == {"pubkey": outside, "signer": True, "source": "transaction", "writable": True}
    (inner,) = told["meta"]["innerInstructions"]
    kinds = [step["parsed"]["type"] for step in inner["instructions"]]
    assert kinds == [
        "getAccountDataSize",
        "createAccount",
        "initializeImmutableOwner",
        "initializeAccount3",
    ]


def test_the_types_of_solders_read_every_answer(node, payee, paid):
    signature, slot, account = paid
    parsed, raw = {"encoding": "jsonParsed"}, {"encoding": "base64"}
    accounts, names = {"transactionDetails": "accounts"}, {"transactionDetails": "signatures"}
    questions = [
        (responses.GetTransactionResp, "getTransaction", signature, ANY_VERSION),
        (responses.GetTransactionResp, "getTransaction", signature, ANY_VERSION | parsed),
        (responses.GetTransactionResp, "getTransaction", signature, ANY_VERSION | raw),
        (responses.GetBlockResp, "getBlock", slot, ANY_VERSION),
        (responses.GetBlockResp, "getBlock", slot, ANY_VERSION | accounts),
        (responses.GetBlockResp, "getBlock", slot, ANY_VERSION | names),
        (responses.GetBlocksResp, "getBlocks", slot, slot + 20),
        (responses.GetBlockTimeResp, "getBlockTime", slot),
        (responses.GetSignatureStatusesResp, "getSignatureStatuses", [signature]),
        (responses.GetSignaturesForAddressResp, "getSignaturesForAddress", account),
        (responses.GetBalanceResp, "getBalance", str(payee)),
        (responses.GetAccountInfoResp, "getAccountInfo", account, {"encoding": "base64"}),
        (responses.GetAccountInfoJsonParsedResp, "getAccountInfo", account, parsed),
        (responses.GetMultipleAccountsResp, "getMultipleAccounts", [account, str(payee)]),
        (responses.GetTokenAccountBalanceResp, "getTokenAccountBalance", account),
        (responses.GetTokenSupplyResp, "getTokenSupply", USDC),
        (responses.GetTokenAccountsByOwnerJsonParsedResp, "getTokenAccountsByOwner", str(payee),
         {"mint": USDC}, parsed),
        (responses.GetLatestBlockhashResp, "getLatestBlockhash"),
        (responses.GetEpochInfoResp, "getEpochInfo"),
        (responses.GetSlotResp, "getSlot"),
        (responses.GetBlockHeightResp, "getBlockHeight"),
        (responses.GetHealthResp, "getHealth"),
        (responses.GetVersionResp, "getVersion"),
        (responses.GetGenesisHashResp, "getGenesisHash"),
        (responses.GetRecentPrioritizationFeesResp, "getRecentPrioritizationFees", [account]),
        (responses.GetMinimumBalanceForRentExemptionResp, "getMinimumBalanceForRentExemption", 165),
    ]  # fmt: skip
    for kind, method, *params in questions:
        answer = json.dumps(node.ask(method, *params))
        assert isinstance(kind.from_json(answer), kind), (method, answer)


def test_an_unsupported_version_is_read_as_solders_knows_it(node, paid):
    answer = json.dumps(node.ask("getTransaction", paid[0]))
    error = responses.GetTransactionResp.from_json(answer)
    assert isinstance(error, responses.UnsupportedTransactionVersionMessage)


def test_blocks_form_a_chain_with_holes(node):
    start = node.call("getSlot", FINAL)
    node.warp(60)
    end = node.call("getSlot", FINAL)
    slots = node.call("getBlocks", start, end)
    assert [slot for slot in range(start, end + 1) if slot not in slots] == [
        slot for slot in range(start, end + 1) if skipped(slot)
    ]
    assert 3 <= end - start + 1 - len(slots) <= 5
    blocks = [node.call("getBlock", slot, {"transactionDetails": "none"}) for slot in slots[:20]]
    for slot, parent, block in zip(slots[1:], blocks, blocks[1:], strict=False):
        assert block["previousBlockhash"] == parent["blockhash"]
        assert block["blockHeight"] == parent["blockHeight"] + 1 == height(slot)
        assert block["blockTime"] >= parent["blockTime"]
    assert node.call("getBlocksWithLimit", start, 5) == slots[:5]


def test_a_block_that_cannot_be_had_says_why(node):
    newest = node.call("getSlot", PROCESSED)
    hole = next(slot for slot in range(newest - 100, newest) if skipped(slot))
    assert code(node, "getBlock", hole) == -32007
    assert code(node, "getBlock", newest + 1, CONFIRMED) == -32004
    assert code(node, "getBlock", GENESIS_SLOT - 1) == -32001
    assert code(node, "getBlock", newest, PROCESSED) == -32602
    assert code(node, "getBlockTime", newest + 1) == -32004


def test_signatures_are_paged_newest_first(node, payee):
    sent = [node.call("sandbox_sendUsdc", str(payee), 1) for _ in range(5)]
    node.finalize()
    account = str(ata(payee, MINT))
    page = lambda **options: [  # noqa: E731 - one line, many calls
        entry["signature"] for entry in node.call("getSignaturesForAddress", account, options)
    ]
    assert page() == sent[::-1]
    assert page(limit=2) == [sent[4], sent[3]]
    assert page(before=sent[3], limit=2) == [sent[2], sent[1]]
    assert page(until=sent[2]) == [sent[4], sent[3]]
    assert page(before=sent[4], until=sent[1]) == [sent[3], sent[2]]
    assert node.call("getSignaturesForAddress", str(payee)) != [], "the create names the owner"
    node.call("sandbox_sendUsdc", str(payee), 1)
    node.warp(2)
    assert len(page(commitment="confirmed")) == 6
    assert page() == sent[::-1]
    assert code(node, "getSignaturesForAddress", account, PROCESSED) == -32602
    assert code(node, "getSignaturesForAddress", account, {"limit": 1001}) == -32602


def test_an_account_in_every_encoding(node, paid):
    account = paid[2]
    info = lambda **options: node.value("getAccountInfo", account, options)  # noqa: E731
    data = base64.b64decode(info(encoding="base64")["data"][0])
    assert len(data) == info(encoding="base64")["space"] == 165
    amount = info(encoding="base64", dataSlice={"offset": 64, "length": 8})["data"][0]
    assert int.from_bytes(base64.b64decode(amount), "little") == 12_345_678
    assert info(encoding="jsonParsed")["data"]["parsed"]["info"]["state"] == "initialized"
    assert code(node, "getAccountInfo", account) == -32600, "too long for the old default"
    assert node.value("getAccountInfo", str(Keypair().pubkey())) is None
    assert node.value("getMultipleAccounts", [account, USDC])[1]["space"] == 82
    mint = node.value("getAccountInfo", USDC, {"encoding": "jsonParsed"})["data"]["parsed"]["info"]
    assert mint["freezeAuthority"] == str(tokens.FREEZE_AUTHORITY.pubkey())
    assert mint["mintAuthority"] == str(tokens.MINT_AUTHORITY.pubkey())


def test_token_accounts_of_an_owner_as_of_a_commitment(node, payee):
    owner = str(payee)
    node.call("sandbox_sendUsdc", owner, 7)
    by_mint = lambda level: node.value(  # noqa: E731
        "getTokenAccountsByOwner", owner, {"mint": USDC}, {"encoding": "jsonParsed", **level}
    )
    assert by_mint(FINAL) == []
    (found,) = by_mint(PROCESSED)
    assert found["pubkey"] == str(ata(payee, MINT))
    assert found["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"] == "7"
    node.finalize()
    assert by_mint(FINAL) == [found]
    assert node.value("getTokenAccountBalance", found["pubkey"])["amount"] == "7"
    assert code(node, "getTokenAccountBalance", owner) == -32602


def test_mainnet_rent_and_supply(node):
    rent = lambda size: node.call("getMinimumBalanceForRentExemption", size)  # noqa: E731
    assert (rent(0), rent(165), rent(82)) == (650_240, 1_488_440, 1_066_800)
    assert node.value("getTokenSupply", USDC)["amount"] == str(10**16)


def test_lookup_tables_are_opened(payee):
    bank = Bank(Archive(None), Timeline(None, 0), MINT, 32)
    table, payer = Keypair().pubkey(), Keypair()
    rows = b"".join(bytes(key) for key in (MINT, payee))
    program = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
    # Type, deactivation slot (never), last extended slot and index, authority (none), padding.
    head = (1).to_bytes(4, "little") + b"\xff" * 8 + bytes(9) + b"\0" + bytes(32) + bytes(2)
    bank._svm.set_account(table, Account(SOL, head + rows, program))
    bank._svm.set_account(payer.pubkey(), Account(SOL, b"", Pubkey.default()))
    plain = MessageV0.try_compile(
        payer.pubkey(), [pays(payer, payee, SOL // 2)], [], bank.timeline.blockhash(bank.slot())
    )
    lookup = MessageAddressTableLookup(table, bytes([1]), b"")
    message = MessageV0(
        plain.header,
        [key for key in plain.account_keys if key != payee],
        plain.recent_blockhash,
        plain.instructions,
        [lookup],
    )
    assert bank.keys(message).loaded_writable == [payee]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", -32700),
        (b"[]", -32600),
        (b"5", -32600),
        (b'{"id":1}', -32600),
        (b'{"id":1,"method":"getProgramAccounts"}', -32601),
        (b'{"id":1,"method":"getBalance","params":["x"]}', -32602),
        (b'{"id":1,"method":"getBalance","params":[7]}', -32602),
        (b'{"id":1,"method":"getBalance"}', -32602),
        (b'{"id":1,"method":"getBalance","params":{"a":1}}', -32600),
        (b'{"id":1,"method":"getSlot","params":[{"commitment":"root"}]}', -32602),
        (b'{"id":1,"method":"getBlock","params":[-1]}', -32602),
        (b'{"id":1,"method":"isBlockhashValid","params":["x"]}', -32602),
        (b'{"id":1,"method":"sendTransaction","params":["AA==",{"encoding":"base64"}]}', -32602),
        (b'{"id":1,"method":"sendTransaction","params":["0O"]}', -32602),
        (b"[" * 20_000, -32700),
    ],
)
def test_a_bad_request_gets_the_error_of_its_kind(node, body, expected):
    assert json.loads(node.post(body))["error"]["code"] == expected


def test_a_batch_is_answered_in_order_and_notifications_not_at_all(node):
    batch = [
        {"jsonrpc": "2.0", "id": 7, "method": "getHealth"},
        {"jsonrpc": "2.0", "method": "getHealth"},
        {"jsonrpc": "2.0", "id": "x", "method": "nope"},
    ]
    replies = json.loads(node.post(json.dumps(batch).encode()))
    assert [(reply["id"], "result" in reply) for reply in replies] == [(7, True), ("x", False)]
    assert node.post(b'{"jsonrpc":"2.0","method":"getHealth"}') == b""


def test_http_is_bounded(node):
    for body, kind, status in (
        (b" " * 51_201, "application/json", 413),
        (b"{}", "text/plain", 415),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            node.post(body, kind)
        assert refused.value.code == status
        refused.value.close()
    with urllib.request.urlopen(node.url + "/health") as answer:
        assert answer.read() == b"ok"


def test_ordered_faults_are_met_once(node):
    node.fault("getHealth", error={"code": -32005, "message": "Node is behind", "data": {"n": 1}})
    node.fault("getHealth", result="sick")
    node.fault("getHealth", status=503)
    node.fault("getHealth", delayMs=1)
    with pytest.raises(NodeError) as behind:
        node.call("getHealth")
    assert (behind.value.code, behind.value.data) == (-32005, {"n": 1})
    assert node.call("getHealth") == "sick"
    with pytest.raises(urllib.error.HTTPError) as broken:
        node.call("getHealth")
    broken.value.close()
    assert node.call("getHealth") == "ok"
    assert code(node, "sandbox_failNext", "getHealth", {"explode": True}) == -32602
