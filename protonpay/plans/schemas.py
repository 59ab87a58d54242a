"""GET /client/fees, as the API document spells it."""

from marshmallow import fields

from protonpay.kernel.money import Usdc
from protonpay.plans.service import PlanFees, Terms
from protonpay.web.fields import Moment, WireSchema


class DepositFees(WireSchema):
    """What a deposit costs."""

    commission = fields.String(metadata={"example": "0%"})


class TransferFees(WireSchema):
    """What a transfer costs."""

    fee = fields.String(metadata={"example": "0 USDC"})


class Limits(WireSchema):
    """Withdrawal limits, in whole USDC and seconds."""

    max_single_withdrawal = fields.Integer(metadata={"example": 10000})
    daily_withdrawal_limit = fields.Integer(metadata={"example": 50000})
    withdrawal_cooldown_sec = fields.Integer(metadata={"example": 60})


class LevelLimits(WireSchema):
    """What an approved identity raises limits to."""

    level = fields.Integer(metadata={"minimum": 1, "maximum": 3})
    max_single_withdrawal = fields.Integer(metadata={"example": 50000})
    daily_withdrawal_limit = fields.Integer(metadata={"example": 250000})


class Fees(WireSchema):
    """The fee schedule of a plan."""

    deposit = fields.Nested(DepositFees)
    withdrawal = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "By network.",
            "example": {"Solana": "0.01 USDC", "Base": "0.05 USDC", "Polygon": "0.02 USDC"},
        },
    )
    transfer = fields.Nested(TransferFees)
    limits = fields.Nested(Limits)


class UpcomingFees(WireSchema):
    """What is announced."""

    starts_at = Moment()
    fees = fields.Nested(Fees)


class FeesAnswer(WireSchema):
    """The answer of ``GET /client/fees``."""

    fees = fields.Nested(Fees)
    plan = fields.String(metadata={"description": "Its name.", "example": "default"})
    level = fields.Integer(
        metadata={
            "minimum": 0,
            "maximum": 3,
            "example": 0,
            "description": "Of your approved identity, 0 without one. `fees` has its limits.",
        }
    )
    levels = fields.List(
        fields.Nested(LevelLimits),
        metadata={"description": "The levels that raise limits of the plan, the lowest first."},
    )
    upcoming = fields.Nested(
        UpcomingFees, allow_none=True, metadata={"description": "What follows, if it is announced."}
    )


def as_answer(told: PlanFees) -> dict[str, object]:
    """Say the fees of a user's plan, and those that follow."""
    following = told.upcoming
    return {
        "fees": as_fees(told.terms),
        "plan": told.plan,
        "level": told.level,
        "levels": [_level(told.own, level) for level in told.own.levels],
        "upcoming": None
        if following is None
        else {"starts_at": following.starts_at, "fees": as_fees(following.terms)},
    }


def as_fees(terms: Terms) -> dict[str, object]:
    """Say a plan's terms in the document's words: ``"0.01 USDC"``, ``"0%"``."""
    return {
        "deposit": {"commission": _percent(terms.deposit_commission_bps)},
        "withdrawal": {
            network: _withdrawal(fee, terms.withdrawal_fee_bps)
            for network, fee in terms.withdrawal_fees.items()
        },
        "transfer": {"fee": f"{_short(terms.transfer_fee)} USDC"},
        "limits": {
            "max_single_withdrawal": terms.single_limit.whole,
            "daily_withdrawal_limit": terms.daily_limit.whole,
            "withdrawal_cooldown_sec": terms.cooldown_seconds,
        },
    }


def _level(terms: Terms, level: int) -> dict[str, object]:
    raised = terms.at_level(level)
    return {
        "level": level,
        "max_single_withdrawal": raised.single_limit.whole,
        "daily_withdrawal_limit": raised.daily_limit.whole,
    }


def _withdrawal(fee: Usdc, basis_points: int) -> str:
    flat = f"{fee} USDC"
    return f"{flat} + {_percent(basis_points)}" if basis_points else flat


def _short(amount: Usdc) -> str:
    return str(amount) if amount else "0"


def _percent(basis_points: int) -> str:
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02d}%" if part else f"{whole}%"
