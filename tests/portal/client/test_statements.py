"""Months from the screens: what is shown is what the API says, and the files are its own."""

import re
from datetime import timedelta

from flask import Flask

from protonpay.kernel import clock
from tests.actors import Actor
from tests.portal.client.reader import sign_in


def test_a_month_and_its_files(house: Flask, alice: Actor, bob: Actor):
    reader = sign_in(house, alice)
    assert "No month is over yet." in reader.open("/app/statements").text
    alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": "12.5"})
    with clock.frozen(clock.now() + timedelta(days=32)):
        reader = sign_in(house, alice)
        screen = reader.open("/app/statements")
        (month,) = {link for link in screen.links if link.count("/") == 3 and "." not in link} & {
            link for link in screen.links if link.startswith("/app/statements/")
        }
        shown = reader.open(month)
        assert "\u221212.50" in shown.text
        assert "987.50 USDC" in shown.text
        # Drawn from its first moment to the one after its last; each day as it began.
        drawn = shown.text.split("Balance, day by day", 1)[1].split("Entries")[0]
        assert "lowest 0.00, highest 987.50, at the end 987.50." in drawn
        begins, *days, ends = re.findall(r"\d+ \w+ \d{4}, 00:00 UTC ([\d,.]+)", drawn)
        assert (begins, ends) == ("0.00", "987.50")
        assert set(days) <= {"0.00", "987.50"}
        assert len(days) in range(27, 31)
        for form, begins in (("pdf", b"%PDF-"), ("csv", b"")):
            answer = reader.client.get(f"{month}.{form}")
            assert answer.status_code == 200
            assert answer.data.startswith(begins)
            assert "attachment" in answer.headers["Content-Disposition"]
    assert reader.client.get("/app/statements/2020-13").status_code == 404
    assert reader.client.get("/app/statements/2020-01.exe").status_code == 404
