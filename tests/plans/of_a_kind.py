"""Plans like the default one, and unlike it in a respect."""

from dataclasses import replace

from sqlalchemy import text

from protonpay.kernel.money import Usdc
from protonpay.plans import service as plans
from protonpay.plans.service import Terms
from protonpay.store.db import db
from tests.actors import Actor

_LIKE_DEFAULT = Terms(
    withdrawal_fees={"Solana": Usdc(10_000), "Base": Usdc(50_000), "Polygon": Usdc(20_000)},
    withdrawal_fee_bps=0,
    transfer_fee=Usdc(0),
    deposit_commission_bps=0,
    single_limit=Usdc.parse("10000"),
    daily_limit=Usdc.parse("50000"),
    cooldown_seconds=60,
    needs_verified_email=False,
    needs_kyc=False,
)


def plan(**changes: object) -> Terms:
    """Return terms like the default plan's."""
    return replace(_LIKE_DEFAULT, **changes)  # type: ignore[arg-type]


def on_plan(actor: Actor, **columns: int | bool | str) -> None:
    """Put somebody on a plan of their own, like the default one but for some columns."""
    name = f"plan of {actor.id}"
    db.session.execute(
        text(
            "INSERT INTO plans SELECT (jsonb_populate_record(p, "
            "jsonb_build_object('name', CAST(:name AS text)))).* "
            "FROM plans AS p WHERE p.name = 'default'"
        ),
        {"name": name},
    )
    for column, value in columns.items():
        change = text(f"UPDATE plans SET {column} = :value WHERE name = :name")
        if column in {"withdrawal_fees", "level_limits"}:
            change = text(f"UPDATE plans SET {column} = CAST(:value AS jsonb) WHERE name = :name")
        db.session.execute(change, {"value": value, "name": name})
    db.session.execute(
        text("UPDATE users SET plan = :name WHERE id = :id"), {"name": name, "id": actor.id}
    )
    db.session.commit()
    plans.forget()


def change_plan(actor: Actor, **columns: int) -> None:
    """Change the plan that ``on_plan`` made for a user."""
    for column, value in columns.items():
        change = text(f"UPDATE plans SET {column} = :value WHERE name = :name")
        db.session.execute(change, {"value": value, "name": f"plan of {actor.id}"})
    db.session.commit()
    plans.forget()
