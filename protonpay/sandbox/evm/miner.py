"""Mining and saving: what is final is on disk, and a chain at rest stays at rest."""

import logging
import time

from protonpay.sandbox.evm.rpc import Rpc
from protonpay.sandbox.evm.store import Store

log = logging.getLogger(__name__)

BLOCKS_TO_FINALITY = 2
_REST_PER_SAVE = 4


class Miner:
    """Mines while something waits or is not final, then rests.

    A block is saved before the next is mined. What is ``finalized`` lies two
    blocks below the newest, so a kill -9 can only lose blocks that were not final:
    callers meet a reorg, as they may anywhere.

    A save costs about 80 microseconds per transaction of history. The pause before
    the next block is at least four times the last save, so saving never takes more
    than a fifth of the time: with history, blocks become fewer and fuller.

    Args:
        rpc: the node.
        store: where states go; None keeps nothing.
        interval: seconds between blocks.
        heartbeat: seconds after which an idle chain gets an empty block, so that
            chain time goes on.
    """

    def __init__(self, rpc: Rpc, store: Store | None, interval: float, heartbeat: float) -> None:
        self._rpc = rpc
        self._store = store
        self._interval = interval
        self._heartbeat = heartbeat
        self._mined_at = time.monotonic()
        self._save_seconds = 0.0

    def finalise(self) -> None:
        """Mine until the newest block of now is final, whatever it holds."""
        for _ in range(BLOCKS_TO_FINALITY):
            self.mine()

    def run(self) -> None:
        """Mine for ever.

        Raises:
            OSError: the node is gone, or the disk does not take the state.
        """
        while True:
            if self._wanted():
                self.mine()
            time.sleep(max(self._interval, self._save_seconds * _REST_PER_SAVE))

    def mine(self) -> None:
        """Mine one block and save the chain."""
        if self._store is None:
            self._mine()
            return
        with self._store.alone():
            self._mine()
            self._store.save(self._rpc("anvil_dumpState"))
            self._save_seconds = time.monotonic() - self._mined_at

    def _mine(self) -> None:
        self._rpc("evm_mine")
        self._mined_at = time.monotonic()

    def _wanted(self) -> bool:
        if time.monotonic() - self._mined_at > self._heartbeat:
            return True
        # Asked of the chain in one go, not remembered: others may mine or reorganise it. The two
        # blocks that are not final are the newest and the safe one.
        count = "eth_getBlockTransactionCountByNumber"
        asked = (("txpool_status",), (count, "latest"), (count, "safe"))
        pool, *unfinal = self._rpc.together(*asked)
        sent = [pool["pending"], *[each for each in unfinal if each is not None]]
        return any(int(each, 16) for each in sent)
