"""Every way a text can fail to be JSON, or be JSON that looks as if it were not, at every door.

The categories are those of the public JSON test suites: arrays, numbers, objects, strings,
structure, encodings; the cases are our own.
"""

import json

import pytest

from tests.actors import PASSWORD, Actor
from tests.unchanged import nothing_changes

# In the place of a member's value: {"note": …}.
NO_VALUES = [
    # arrays
    b"[1 true]", b"[1:2]", b'["",,]', b"[,1]", b"[1,,2]", b"[1,]", b"[1,,]", b"[1]]", b"[", b"]",
    b"[3[4]]", b"[-]", b'[ , ""]', b"[1\n,1\n,1", b"[\x0b]", b"[\x0c]", b"[*]", b'["a"',
    b"[{}", b"[1,{}", b"[a", b'["x"', b"[\\f]", b"[1}", b"[\xe2\x81\xa0]", b"(1)", b"[1;2]",
    # numbers
    b"-", b"+1", b"++1", b"+Inf", b"-01", b"-1.0.", b"-2.", b"-NaN", b".-1", b".2e-3", b"0.1.2",
    b"0.3e", b"0.3e+", b"0.e1", b"0E", b"0E+", b"0e", b"0e+", b"1.0e", b"1.0e+", b"1.0e-", b"00",
    b"1 000.0", b"1eE2", b"2.e+3", b"2.e-3", b"2.e3", b"9.e+", b"0x1", b"0x42", b"0o7", b"0b1",
    b"1_000", b"1,5", b"Inf", b"Infinity", b"-Infinity", b"NaN", b"nan", b"\xef\xbc\x91",
    b"\xd9\xa1", b"-a", b"-foo", b"- 1", b"012", b"-012", b"1.2a-3", b"1.8011670033376514H-308",
    b"1e1.5", b"1..2", b"1ea", b"5.", b".5", b"-.5", b"1'000", b"9" * 41, b"-" + b"9" * 41,
    b"0.4e00669999999999999999999999999", b"1e-99999999999999999999", b"-1E+9999999999999999999",
    # strings
    b'"\\u00A"', b'"\\u"', b'"\\u12"', b'"\\uqqqq"', b'"\\x00"', b'"\\a"', b'"\\0"', b'"\\v"',
    b"\"\\'\"", b'"\\', b'"', b"'a'", b'"a\x00a"', b'"a\x1fa"', b'"a\ta"', b'"a\ra"', b'"a\na"',
    b'"\\\xf0\x9f\x8c\x80"', b'"\\\xe5"', b'"\\u\xe5"', b"abc", b"\xc3\xa9", b'"\\u{1F600}"',
    b'"\\ud800"', b'"\\ud800\\u"', b'"\\ud800\\n"', b'"\\ud800abc"', b'"\\udc00"', b'"\\udd1e\\ud834"',
    b'"\\ud800\\ud800"', b'"a" "b"', b'"a""b"', b"`a`", b'u"a"', b'"\\U00000041"',
    # bytes that are no UTF-8
    b'"\xff"', b'"\x80"', b'"\xe9"', b'"\xc0\x80"', b'"\xc1\xbf"', b'"\xe0\x80\xaf"', b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"', b'"\xf0\x82\x82\xac"', b'"\xe2\x82"', b'"\xf8\x88\x80\x80\x80"', b'"\xfe"',
    # words
    b"True", b"TRUE", b"False", b"Null", b"NULL", b"None", b"nul", b"tru", b"fals", b"truth",
    b"undefined", b"", b" ", b"<null>", b"<.>", b"null2", b"nulltrue",
    # objects
    b"{", b"}", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a":1,,"b":2}',
    b'{"a" 1}', b'{"a"::1}', b'{"a",1}', b'{"a"=1}', b'{"a"=>1}', b"{a:1}", b"{'a':1}", b"{1:1}",
    b"{null:null}", b"{[]:1}", b'{"a":1 "b":2}', b'{"a":1;"b":2}', b"{:1}", b"{,}", b'{"a"}',
    b'{"a":/*1*/1}', b'{"a":1}//x', b'{"a":1}#x', b'{"a":"a', b'{"a":1]', b'{"x",null}',
    b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b'[{"a":1,"a":1}]', b'{"a":1,"\\u0061":2}',
]  # fmt: skip
# In the place of the whole body.
NO_BODIES = [
    b"", b" ", b"\n", b"\x00", b"\xef\xbb\xbf", b"\xef\xbb\xbf{}", b"{", b"}", b"[", b"]", b"{}}",
    b"{}{}", b"{} {}", b"{},", b",{}", b"{};", b"{}//", b"{}#", b"{}/**/", b"/**/{}", b"//\n{}",
    b"{}\x00", b"\x00{}", b"{}\x1a", b"{}\x0c", b"\x0b{}", b"\xc2\xa0{}", b"\xe2\x80\xa8{}",
    b"\xe2\x81\xa0{}", b"{}\xff", b"\xff\xfe{\x00}\x00", b"\xfe\xff\x00{\x00}", b"{\x00}\x00",
    b"\x00{\x00}", b"\xff\xfe\x00\x00{\x00\x00\x00}\x00\x00\x00", b")]}',\n{}", b"while(1);{}",
    b"callback({})", b"\x1e{}\n", b"[]", b"[{}]", b"1", b"-0", b"1.5", b'"x"', b"true", b"null",
    b"[" * 1000, b"[" * 60_000, b'{"a":' * 10_000, b"[" * 20_000 + b"]" * 20_000,
    b'{"note":' + b"[" * 1000 + b"]" * 1000 + b"}", b'"' + b"a" * 60_000, b"<?xml version='1.0'?>",
    b"---\na: 1\n", b"a=1&b=2", b"\x82\xa1a\x01", b"\x80\x04N.", b"\x1f\x8b\x08\x00",
]  # fmt: skip
# JSON, however odd: refused for what it says, never for how it is written.
YES_VALUES = [
    b"[]", b"[[]]", b"[ ]", b'[null, 1, "1", {}]', b"[1\n]", b" [1]", b"[2] ", b"0", b"-0", b"-0.0",
    b"0e1", b"0E+1", b"0e-1", b"1E22", b"1e-2", b"123.456e78", b"-1", b"-1.5e-3", b"1e400", b"-1e400",
    b"1e-400", b"1E+1000000", b"0." + b"1" * 500, b"9" * 40,
    b'""', b'" "', b'"\\""', b'"\\\\"', b'"\\/"', b'"/"', b'"\\b\\f\\n\\r\\t"', b'"\\u0000"',
    b'"\\u0022"', b'"\\u005C"', b'"\\u00e9"', b'"\\uD834\\uDd1e"', b'"\\uFFFF"', b'"\\uFDD0"',
    b'"\xef\xbf\xbf"', b'"\xf4\x8f\xbf\xbf"', b'"\xe2\x80\xa8"', b'"\xc2\x85"', b'"\x7f"',
    b'"\xf0\x9f\x98\x80"', b'"\\u200B"', b'"\\u202e"', b'"\xef\xbb\xbf"', b'"asd "', b'"a/*b*/c"',
    b"true", b"false", b"null", b"{}", b'{"":0}', b'{"a":{"b":{}}}', b'{"\\u0000":1}',
    b'{"a":1,"A":2}', b'{"__proto__":{"x":1}}', b'{"$ref":"#"}', b'{ "a" : 1 }', b"\t1\r\n",
    b"[" * 50 + b"]" * 50,
]  # fmt: skip
DOORS = {
    "/auth/register": {"email": "json@example.com", "password": PASSWORD},
    "/auth/login": {"email": "json@example.com"},
    "/client/transfer": {"toIdentifier": "nobody@example.com", "amount": "1"},
    "/client/withdraw/quote": {"amount": "1"},
    "/client/deposit/card": {"currency": "usd", "provider": "tap"},
    "/client/webhooks": {"events": ["payout.completed"]},
    "/client/api-keys": {"permissions": "full"},
    "/client/kyc": {"country": "AE"},
}
"""What stands beside the value; each lacks something, so that whatever is JSON is refused too."""


def bodies(path: str, values: list[bytes]) -> list[bytes]:
    beside = json.dumps(DOORS[path]).encode()[:-1]
    return [b'%s,"note":%s}' % (beside, value) for value in values]


def answers(actor: Actor, path: str, sent: list[bytes]) -> list[tuple[bytes, int, str]]:
    told = []
    for body in sent:
        answer = actor.call("POST", path, data=body, content_type="application/json")
        told.append((body[:80], answer.status_code, answer.get_json()["code"]))
    return told


@pytest.mark.slow
@pytest.mark.parametrize("path", DOORS)
def test_what_is_not_json_is_malformed(alice: Actor, path: str):
    with nothing_changes():
        told = answers(alice, path, bodies(path, NO_VALUES) + NO_BODIES)

    assert len(told) > 200
    assert [each for each in told if each[1:] != (400, "malformed_json")] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", DOORS)
def test_what_is_json_is_refused_for_what_it_says(alice: Actor, path: str):
    with nothing_changes():
        told = answers(alice, path, bodies(path, YES_VALUES))

    refused = {(400, "validation_error"), (404, "recipient_not_found")}
    assert [each for each in told if each[1:] not in refused] == []
