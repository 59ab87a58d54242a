"""Every group of commands, one file each."""

from protonpay.cli.ops import ops
from protonpay.cli.proofs import export_chain, export_reserves, head
from protonpay.cli.sandbox import sandbox
from protonpay.cli.users import users

for _command in (head, export_chain, export_reserves):
    ops.add_command(_command)

EVERYWHERE = (ops, users)
IN_A_SANDBOX = (*EVERYWHERE, sandbox)
