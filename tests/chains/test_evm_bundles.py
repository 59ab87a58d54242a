"""Several payments in one transaction on a real EVM chain: each lands or fails by itself."""

from dataclasses import replace

from protonpay.chains.evm_fees import gas_limit
from protonpay.chains.port import AlreadySent, NotReady, PayeeRefused, SendOutcome, SendState
from protonpay.chains.registry import BASE
from protonpay.kernel.money import Usdc
from protonpay.sandbox import evm_outside
from protonpay.sandbox.evm.multicall import ADDRESS
from tests.chains.conftest import EvmWorld

WAITING = SendOutcome(SendState.WAITING)


def _signed(evm: EvmWorld, orders):
    prospect = evm.chain.read_terms(orders)
    assert (list(prospect.payable), prospect.hindered) == (orders, {})
    return evm.chain.sign(orders, prospect.terms, evm.chain.next_sequence(), None)


def test_a_hundred_are_paid_by_one_transaction(evm):
    orders = [evm.order(1_000_000 + number) for number in range(evm.chain.most_in_one)]
    send = _signed(evm, orders)

    evm.chain.broadcast(send)
    evm.mine()
    assert set(evm.chain.outcomes(send).values()) == {WAITING}
    evm.mine(2)

    fee = evm.fee_of(send.tx_hash)
    landed = SendOutcome(SendState.LANDED, fee=fee)
    assert evm.chain.outcomes(send) == {order.payout_id: landed for order in orders}
    assert [evm.held(order.to) for order in orders] == [order.amount.micro for order in orders]
    assert int(evm.fields(send)["gas"]) < 2**24


def test_what_one_look_allows_leaves_by_two_transactions(evm):
    orders = [evm.order(1_000_000 + number) for number in range(evm.chain.most_together)]
    prospect = evm.chain.read_terms(orders)
    (further,) = prospect.further
    assert [*prospect.payable, *further.payable] == orders
    assert (prospect.hindered, further.hindered) == ({}, {})
    sequence = evm.chain.next_sequence()
    sends = [
        evm.chain.sign(each.payable, each.terms, sequence + number, None)
        for number, each in enumerate([prospect, further])
    ]

    # The second comes first: it waits for the nonce before it.
    for send in reversed(sends):
        evm.chain.broadcast(send)
    evm.mine(3)

    outcomes = evm.chain.outcomes(*sends)
    assert {outcomes[order.payout_id].state for order in orders} == {SendState.LANDED}
    assert [evm.held(order.to) for order in orders] == [order.amount.micro for order in orders]


def test_a_gas_wallet_that_covers_one_transaction_sends_one(evm):
    orders = [evm.order() for _ in range(evm.chain.most_in_one + 1)]
    before = evm.rpc("eth_getBalance", evm.chain.sender, "latest")
    price = int(evm.chain.read_terms(orders).terms["max_fee_wei"])
    evm.rpc("anvil_setBalance", evm.chain.sender, hex(2 * gas_limit(len(orders) - 1) * price + 1))
    try:
        prospect = evm.chain.read_terms(orders)
    finally:
        evm.rpc("anvil_setBalance", evm.chain.sender, before)
    # The last one is not hindered: it found no room, and its own job asks next.
    assert (list(prospect.payable), prospect.further, prospect.hindered) == (orders[:-1], [], {})


def test_the_same_bytes_twice_and_the_same_payments_anew_pay_once(evm):
    orders = [evm.order() for _ in range(3)]
    prospect = evm.chain.read_terms(orders)
    sequence = evm.chain.next_sequence()
    first, second = (
        evm.chain.sign(orders, prospect.terms, sequence + number, None) for number in (0, 1)
    )
    for send in (first, first, second):
        evm.chain.broadcast(send)
    evm.mine(3)

    assert [evm.held(order.to) for order in orders] == [5_000_000] * 3
    # The second was mined and paid nobody: each of its payments landed by the first.
    assert not evm.reverted(second)
    for outcome in evm.chain.outcomes(second).values():
        assert (outcome.state, outcome.tx_hash) == (SendState.LANDED, first.tx_hash)


def test_a_payee_blocked_meanwhile_fails_alone(evm):
    orders = [evm.order() for _ in range(3)]
    send = _signed(evm, orders)
    blocked = orders[1]
    evm.outside(evm_outside.freeze, evm.usdc, blocked.to)
    evm.chain.broadcast(send)
    evm.mine(3)

    told = evm.chain.outcomes(send)
    assert [told[order.payout_id].state for order in orders] == ["LANDED", "WAITING", "LANDED"]
    assert told[blocked.payout_id] == SendOutcome(SendState.WAITING, reason="payee_blacklisted")
    assert [evm.held(order.to) for order in orders] == [5_000_000, 0, 5_000_000]

    evm.expire(send)
    of_blocked = replace(send, payout_ids=(blocked.payout_id,))
    failed = SendOutcome(SendState.FAILED, reason="payee_blacklisted", fee=evm.fee_of(send.tx_hash))
    assert evm.chain.outcomes(of_blocked) == {blocked.payout_id: failed}


def test_a_bundle_that_never_landed_leaves_its_nonce_and_all_its_payments(evm):
    orders = [evm.order() for _ in range(2)]
    send = _signed(evm, orders)
    evm.expire(send)

    lost = SendOutcome(SendState.LOST, reason="expired", sequence_used=False)
    assert evm.chain.outcomes(send) == {order.payout_id: lost for order in orders}

    prospect = evm.chain.read_terms(orders)
    again = evm.chain.sign(orders, prospect.terms, send.sequence, send)
    assert again.terms["max_fee_wei"] >= send.terms["max_fee_wei"] * 9 // 8
    evm.chain.broadcast(again)
    evm.mine(3)
    assert [evm.held(order.to) for order in orders] == [5_000_000] * 2


def test_what_hinders_one_order_is_told_of_it_alone(evm):
    paid, blocked, small, huge = (evm.order() for _ in range(4))
    evm.sent(paid)
    evm.mine(3)
    evm.outside(evm_outside.freeze, evm.usdc, blocked.to)
    huge = replace(huge, amount=Usdc(10**16))

    prospect = evm.chain.read_terms([paid, blocked, huge, small])

    assert list(prospect.payable) == [small]
    told = {payout_id: (type(why), why.code) for payout_id, why in prospect.hindered.items()}
    assert told == {
        paid.payout_id: (AlreadySent, "already_sent"),
        blocked.payout_id: (PayeeRefused, "payee_blacklisted"),
        huge.payout_id: (NotReady, "treasury_short"),
    }


def test_orders_that_are_too_much_together_wait_for_their_turn(evm):
    treasury = evm.held(evm.chain.treasury)
    first, second = evm.order(treasury), evm.order(1)

    prospect = evm.chain.read_terms([first, second])

    assert list(prospect.payable) == [first]
    assert prospect.hindered[second.payout_id].code == "treasury_short"


def test_without_the_bundling_contract_one_is_sent_at_a_time(evm):
    options = {**BASE.options, "multicall": "0x" + "77" * 20}
    chain = evm.adapter(evm.json_rpc, replace(BASE, options=options))
    orders = [evm.order(), evm.order()]

    assert list(chain.read_terms(orders).payable) == orders[:1]


def test_one_payment_goes_to_the_token_and_several_through_multicall(evm):
    one, two = _signed(evm, [evm.order()]), _signed(evm, [evm.order(), evm.order()])

    sent_to = ["0x" + bytes(evm.fields(send)["to"]).hex() for send in (one, two)]
    assert sent_to == [evm.usdc.lower(), ADDRESS.lower()]
