"""Networks and who is in them."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protonpay.api_keys import addresses

_ADDRESSES = st.ip_addresses()


def _is_mapped(address: str) -> bool:
    return bool(getattr(ip_address(address), "ipv4_mapped", None))


@st.composite
def _networks(draw: st.DrawFn) -> str:
    address = draw(_ADDRESSES)
    length = draw(st.integers(0, address.max_prefixlen))
    return str(ip_network((address.packed, length), strict=False))


@given(_networks())
def test_a_network_is_spelled_one_way(network: str):
    if not _is_mapped(network.partition("/")[0]):
        assert addresses.canonical(network) == network
        assert addresses.canonical(network.upper()) == network


@given(_networks(), _ADDRESSES.map(str))
def test_an_address_is_within_as_the_standard_library_says(network: str, address: str):
    if not _is_mapped(address):
        expected = ip_address(address) in ip_network(network)
        assert addresses.within([network], address) is expected
    assert addresses.within([], address)


@given(st.ip_addresses(v=4).map(str))
def test_version_4_dressed_as_6_is_version_4(address: str):
    assert addresses.within([f"{address}/32"], f"::ffff:{address}")
    assert not addresses.within(["::/0"], f"::ffff:{address}")
    with pytest.raises(ValueError, match="version 4"):
        addresses.canonical(f"::ffff:{address}")


@given(st.text(max_size=60))
def test_any_text_is_a_network_or_is_refused(text: str):
    try:
        canonical = addresses.canonical(text)
    except ValueError:
        return
    assert addresses.canonical(canonical) == canonical
    assert ip_network(canonical)


@given(st.text(max_size=60))
def test_any_text_may_stand_where_an_address_should(text: str):
    seen = addresses.seen(text)
    assert addresses.within(["0.0.0.0/0", "::/0"], text) is (seen is not None)
