"""/client/team/members: another role, or none; who does it, and from when on."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from protonpay.store.db import db, transaction
from protonpay.teams import invitations
from tests.actors import Actor, make_actor
from tests.api_keys.keys import make_key
from tests.mail.letters import letters
from tests.refusals import refused
from tests.teams.people import For, id_of, invite, join, link_to, member, set_column, verify
from tests.unchanged import nothing_changes

Remover = Callable[[Actor, For], None]


def path_to(owner: Actor, who: For) -> str:
    return f"/client/team/members/{id_of(owner, who.person)}"


def give_role(owner: object, path: str, role: str):
    return owner.call("PATCH", path, json={"role": role})  # type: ignore[attr-defined]


def test_a_removed_member_meets_it_at_the_next_request(house: Flask, firm: Actor):
    acting = member(house, firm, "payer")
    assert acting.get("/client/balance").get_json()["balanceUsdc"] == "1000.00"

    assert firm.call("DELETE", path_to(firm, acting)).status_code == 204

    with nothing_changes():
        refused(acting.get("/client/balance"), 403, "not_a_member")
        order = {"toIdentifier": acting.person.email, "amount": 5}
        refused(acting.post("/client/transfer", order), 403, "not_a_member")
    assert firm.get("/client/team/members").get_json()["members"] == []
    assert acting.person.get("/client/memberships").get_json()["memberships"] == []
    assert letters(acting.person.email)[-1] == "team_removed"
    assert acting.person.get("/client/balance").status_code == 200, "their own stays theirs"


def test_another_role_holds_at_the_next_request(house: Flask, firm: Actor, bob: Actor):
    acting = member(house, firm, "payer")
    order = {"toIdentifier": bob.email, "amount": 5}
    assert acting.post("/client/transfer", order).status_code == 200

    changed = give_role(firm, path_to(firm, acting), "viewer").get_json()["member"]

    assert changed["role"] == "viewer"
    with nothing_changes():
        refused(acting.post("/client/transfer", order), 403, "role_insufficient")
    assert acting.get("/client/balance").status_code == 200
    assert letters(acting.person.email)[-1] == "team_role_changed"


def test_the_same_role_again_tells_nobody(house: Flask, firm: Actor):
    acting = member(house, firm, "payer")
    with nothing_changes():
        assert give_role(firm, path_to(firm, acting), "payer").status_code == 200


def test_who_left_may_be_invited_again(house: Flask, firm: Actor):
    acting = member(house, firm, "payer")
    person = acting.person
    (own,) = person.get("/client/memberships").get_json()["memberships"]

    assert person.call("DELETE", f"/client/memberships/{own['id']}").status_code == 204

    refused(acting.get("/client/balance"), 403, "not_a_member")
    assert letters(firm.email)[-1] == "team_left"
    with nothing_changes():
        gone = person.call("DELETE", f"/client/memberships/{own['id']}")
        refused(gone, 404, "not_found")
    invite(firm, person.email, "viewer")
    assert join(person, link_to(person.email)).status_code == 200
    assert acting.get("/client/balance").status_code == 200


def test_nobody_ends_the_membership_of_another_but_who_manages(
    house: Flask, firm: Actor, mallory: Actor
):
    acting, viewer = member(house, firm, "payer"), member(house, firm, "viewer", "Vera")
    (own,) = acting.person.get("/client/memberships").get_json()["memberships"]
    path = path_to(firm, acting)
    with nothing_changes():
        left = mallory.call("DELETE", f"/client/memberships/{own['id']}")
        refused(left, 404, "not_found")
        refused(firm.call("DELETE", f"/client/memberships/{own['id']}"), 404, "not_found")
        refused(mallory.call("DELETE", path), 404, "not_found")
        refused(give_role(mallory, path, "admin"), 404, "not_found")
        refused(viewer.call("DELETE", path), 403, "role_insufficient")
        refused(give_role(viewer, path, "viewer"), 403, "role_insufficient")
        refused(viewer.person.call("DELETE", path), 404, "not_found")


def test_an_admin_manages_all_but_admins_and_themselves(house: Flask, firm: Actor):
    admin, other = member(house, firm, "admin"), member(house, firm, "admin", "Ada")
    payer = member(house, firm, "payer", "Pia")
    own, others, payers = (path_to(firm, who) for who in (admin, other, payer))
    order = {"email": "more@example.com", "role": "admin"}
    with nothing_changes():
        for path in (own, others):
            refused(admin.call("DELETE", path), 403, "role_insufficient")
            refused(give_role(admin, path, "viewer"), 403, "role_insufficient")
        refused(give_role(admin, payers, "admin"), 403, "role_insufficient")
        refused(admin.post("/client/team/invitations", order), 403, "role_insufficient")

    assert give_role(admin, payers, "viewer").status_code == 200
    assert admin.call("DELETE", payers).status_code == 204
    invite(admin, "more@example.com", "developer")
    assert firm.call("DELETE", others).status_code == 204
    refused(other.get("/client/balance"), 403, "not_a_member")


def test_an_admin_ends_no_invitation_of_an_admin(house: Flask, firm: Actor):
    admin = member(house, firm, "admin")
    made = invite(firm, "more@example.com", "admin")
    path = f"/client/team/invitations/{made['id']}"
    order = {"email": "more@example.com", "role": "viewer"}
    with nothing_changes():
        refused(admin.call("DELETE", path), 403, "role_insufficient")
        refused(admin.post(f"{path}/resend"), 403, "role_insufficient")
        refused(admin.post("/client/team/invitations", order), 403, "role_insufficient")


@pytest.mark.parametrize(
    ("column", "value"),
    [("standing", "SUSPENDED"), ("withdrawals_frozen_at", "2026-01-01T00:00:00Z")],
)
def test_who_is_stopped_acts_for_nobody(house: Flask, firm: Actor, column: str, value: str):
    acting = member(house, firm, "admin")
    set_column(acting.person, column, value)
    with nothing_changes():
        refused(acting.get("/client/balance"), 403, "member_stopped")
        refused(acting.call("PATCH", "/client/preferences", json={}), 403, "member_stopped")
    set_column(acting.person, column, "ACTIVE" if column == "standing" else None)
    assert acting.get("/client/balance").status_code == 200


def test_nobody_acts_for_an_account_that_is_suspended(house: Flask, firm: Actor):
    acting = member(house, firm, "viewer")
    set_column(firm, "standing", "SUSPENDED")
    refused(acting.get("/client/balance"), 403, "account_suspended")


def test_a_frozen_account_is_read_and_nothing_leaves_it(house: Flask, firm: Actor, bob: Actor):
    acting = member(house, firm, "payer")
    set_column(firm, "withdrawals_frozen_at", "2026-01-01T00:00:00Z")
    assert acting.get("/client/balance").status_code == 200
    with nothing_changes():
        order = {"toIdentifier": bob.email, "amount": 5}
        refused(acting.post("/client/transfer", order), 403, "withdrawals_frozen")


def _removed(firm: Actor, acting: For) -> None:
    firm.call("DELETE", path_to(firm, acting))


def _left(firm: Actor, acting: For) -> None:
    (own,) = acting.person.get("/client/memberships").get_json()["memberships"]
    acting.person.call("DELETE", f"/client/memberships/{own['id']}")


def _made_a_viewer(firm: Actor, acting: For) -> None:
    give_role(firm, path_to(firm, acting), "viewer")


@pytest.mark.parametrize("end", [_removed, _left, _made_a_viewer])
def test_the_keys_of_who_goes_open_nothing(house: Flask, firm: Actor, end: Remover):
    acting = member(house, firm, "developer")
    theirs, owners = make_key(acting, ["balance:read"]), make_key(firm, ["balance:read"])
    own = make_key(acting.person, "full")
    assert theirs.get("/client/balance").get_json()["balanceUsdc"] == "1000.00"

    end(firm, acting)

    refused(theirs.get("/client/balance"), 401, "api_key_invalid")
    assert owners.get("/client/balance").status_code == 200
    assert own.get("/client/balance").get_json()["balanceUsdc"] == "0.00"


def test_a_narrower_role_keeps_the_keys_it_could_have_made(house: Flask, firm: Actor):
    acting = member(house, firm, "admin")
    wide, narrow = make_key(acting, "full"), make_key(acting, ["balance:read"])
    give_role(firm, path_to(firm, acting), "developer")
    refused(wide.get("/client/balance"), 401, "api_key_invalid")
    assert narrow.get("/client/balance").status_code == 200


def test_a_key_is_as_good_as_who_made_it(house: Flask, firm: Actor):
    acting = member(house, firm, "developer")
    key = make_key(acting, ["balance:read"])
    set_column(acting.person, "withdrawals_frozen_at", "2026-01-01T00:00:00Z")
    refused(key.get("/client/balance"), 403, "account_suspended")


@pytest.mark.parametrize(
    "permissions",
    ["full", ["withdrawals:write"], ["balance:read", "transfers:write"], ["invoices:write"]],
)
def test_a_developer_makes_no_key_that_moves_money(
    house: Flask, firm: Actor, permissions: str | list[str]
):
    acting = member(house, firm, "developer")
    with nothing_changes():
        order = {"name": "Mine", "permissions": permissions}
        body = refused(acting.post("/client/api-keys", order), 403, "role_insufficient")
    assert "activity:read + balance:read + webhooks:write" in body["detail"]
    key = make_key(acting, ["webhooks:write", "activity:read"])
    assert key.get("/client/events").status_code == 200


def test_fifty_are_the_most(firm: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch):
    verify(bob)
    invite(firm, bob.email, "viewer")
    token = link_to(bob.email)
    monkeypatch.setattr(invitations, "MOST_MEMBERS", 0)
    with nothing_changes():
        refused(join(bob, token), 409, "team_full")
        order = {"email": "more@example.com", "role": "viewer"}
        refused(firm.post("/client/team/invitations", order), 409, "team_full")
    monkeypatch.setattr(invitations, "MOST_MEMBERS", 50)
    monkeypatch.setattr(invitations, "MOST_ACCOUNTS", 0)
    with nothing_changes():
        refused(join(bob, token), 409, "too_many_accounts")


def test_the_database_keeps_one_membership_and_no_owner_in_it(house: Flask, firm: Actor):
    acting = member(house, firm, "viewer")
    insert = text(
        "INSERT INTO memberships (id, account_id, person_id, role, created_at)"
        " VALUES (:id, :account, :person, 'viewer', now())"
    )
    for person, broken in ((acting.person.id, "uq_memberships"), (firm.id, "ck_memberships")):
        values = {"id": "cm" + "b" * 23, "account": firm.id, "person": person}
        with pytest.raises(Exception, match=broken), transaction():
            db.session.execute(insert, values)


def test_members_are_listed_in_pages(house: Flask, firm: Actor):
    for name in ("Ada", "Ben", "Cleo"):
        member(house, firm, "viewer", name)
    first = firm.get("/client/team/members?limit=2").get_json()
    rest = firm.get(f"/client/team/members?limit=2&cursor={first['nextCursor']}").get_json()
    assert [row["name"] for row in first["members"]] == ["Cleo", "Ben"]
    assert [row["name"] for row in rest["members"]] == ["Ada"]
    stranger = make_actor(house, "Eve")
    assert stranger.get("/client/team/members").get_json()["members"] == []
