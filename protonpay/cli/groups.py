"""Every group of commands, one file each."""

from protonpay.cli import treasury as _sweeps  # noqa: F401 - adds its commands to `flask ops`
from protonpay.cli.acts import audit_log
from protonpay.cli.adjusting import adjust_group
from protonpay.cli.egress import egress_group
from protonpay.cli.holding import holds_group
from protonpay.cli.keys import keys, rotate_key
from protonpay.cli.kyc import kyc
from protonpay.cli.listen import listen
from protonpay.cli.operators import operators
from protonpay.cli.ops import ops
from protonpay.cli.plans import plans
from protonpay.cli.proofs import export_chain, export_reserves, head
from protonpay.cli.reconciling import cases, close_case, explain, misdirected, reconcile
from protonpay.cli.sandbox import sandbox
from protonpay.cli.switches import cards_group, payouts_group, switches_group
from protonpay.cli.users import users

for _command in (
    payouts_group,
    cards_group,
    switches_group,
    adjust_group,
    reconcile,
    cases,
    close_case,
    explain,
    misdirected,
    holds_group,
    egress_group,
):
    ops.add_command(_command)
for _command in (audit_log, keys, rotate_key):
    ops.add_command(_command)
for _command in (head, export_chain, export_reserves):
    ops.add_command(_command)

EVERYWHERE = (ops, users, kyc, plans, operators, listen)
IN_A_SANDBOX = (*EVERYWHERE, sandbox)
