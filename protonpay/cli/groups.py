"""Every group of commands, one file each."""

from protonpay.cli.ops import ops
from protonpay.cli.sandbox import sandbox
from protonpay.cli.users import users

EVERYWHERE = (ops, users)
IN_A_SANDBOX = (*EVERYWHERE, sandbox)
