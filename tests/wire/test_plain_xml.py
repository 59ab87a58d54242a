"""Foreign XML: its elements, and nothing of what XML can do beside."""

import pytest

from protonpay.wire.plain_xml import DEEPEST, LONGEST, read_xml


def test_elements_are_found_by_name_and_by_path():
    read = read_xml(
        '<?xml version="1.0"?><r><a>1 &amp; Ж</a><l><i x="y">1</i><i>2</i></l><e/></r>'.encode()
    )
    assert (read.of("a"), read.of("e"), read.of("missing")) == ("1 & Ж", "", "")
    assert [item.text for item in read.all("l", "i")] == ["1", "2"]
    assert read.all("l", "nothing") == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a>text<b/></a>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE l [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>',
        b"<?php echo 1 ?><a/>",
        b"<a>&undeclared;</a>",
        b"<a>\x00</a>",
        b"<a>\xff</a>",
        "<a/>".encode("utf-16"),
        b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1),
        b"<a>" * 100_000,
        b"<a>" + b"x" * LONGEST + b"</a>",
    ],
    ids=lambda data: repr(data[:50]),
)
def test_everything_else_is_one_kind_of_error(data: bytes):
    with pytest.raises(ValueError, match=r".*"):
        read_xml(data)


def test_as_deep_as_it_may_be_is_read():
    assert read_xml(b"<a>" * DEEPEST + b"1" + b"</a>" * DEEPEST).name == "a"
