"""A Solana node for the sandbox: JSON-RPC over a real virtual machine, without a cluster.

server ── bytes and HTTP            node ── one question: envelope, faults, the lock
methods/ ── what each method says   encoding, parsed ── how Solana spells it
bank ── accounts, slots, commitments, forks, over LiteSVM
archive ── what is on disk          slots ── what time it is on the chain
"""
