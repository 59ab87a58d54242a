"""Every group of commands, one file each."""

from protonpay.cli.ops import ops
from protonpay.cli.sandbox import sandbox
from protonpay.cli.switches import cards_group, payouts_group
from protonpay.cli.users import users

for _group in (payouts_group, cards_group):
    ops.add_command(_group)

EVERYWHERE = (ops, users)
IN_A_SANDBOX = (*EVERYWHERE, sandbox)
