"""``flask`` whose chain worker puts one payout into a transaction: what bundling is beside."""

import sys

from flask.cli import main

from protonpay.chains.evm import Evm
from protonpay.chains.solana import Solana

if __name__ == "__main__":
    Evm.most_in_one = Solana.most_in_one = 1
    Evm.most_together = Solana.most_together = 1
    sys.argv[0] = "flask"
    main()
