"""An invoice paid from the balance of who is signed in, on its own page."""

from flask import Flask

from tests.actors import PASSWORD, Actor
from tests.invoices.asking import ask
from tests.portal.client.reader import Reader, sign_in
from tests.unchanged import nothing_changes


def test_who_is_signed_in_pays_with_one_button_and_once(house: Flask, alice: Actor, bob: Actor):
    made = ask(bob, "50")
    reader = sign_in(house, alice)
    fields = reader.open(f"/pay/{made.id}").form(f"/app/pay/{made.id}").fields
    assert "You are signed in: Alice." in reader.at.text
    for _ in range(2):
        answer = reader.again(f"/app/pay/{made.id}", fields)
        assert answer.headers["Location"] == f"/pay/{made.id}"
    assert "The payment has arrived" in reader.open(f"/pay/{made.id}").text
    assert (str(alice.available), str(bob.available)) == ("950.00", "50.00")


def test_who_is_not_signed_in_comes_back_to_the_page(house: Flask, alice: Actor, bob: Actor):
    made = ask(bob, "50")
    reader = Reader(house)
    screen = reader.open(f"/pay/{made.id}")
    (link,) = [each for each in screen.links if each.startswith("/login")]
    reader.open(link)
    reader.send("/login", email=alice.email, password=PASSWORD)
    assert reader.at.form(f"/app/pay/{made.id}")


def test_a_balance_that_does_not_cover_it_pays_nothing(house: Flask, alice: Actor, bob: Actor):
    made = ask(alice, "50")
    reader = sign_in(house, bob)
    reader.open(f"/pay/{made.id}")
    with nothing_changes():
        reader.send(f"/app/pay/{made.id}")
    assert reader.status == 400
    assert "does not cover" in reader.at.text


def test_a_frame_has_no_button_that_pays(house: Flask, alice: Actor, bob: Actor):
    made = ask(bob, "50", embedOrigin="https://shop.example.com")
    reader = sign_in(house, alice)
    framed = reader.client.get(f"/pay/{made.id}", headers={"Sec-Fetch-Dest": "iframe"})
    assert f"/app/pay/{made.id}" not in framed.get_data(as_text=True)
