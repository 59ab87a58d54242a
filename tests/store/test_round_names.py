"""Which rounds there are: the table's lines, and one for each network where a line says so."""

from protonpay.store.jobs import PERIODIC, rounds

OURS = {"Solana": True, "Base": False, "Sepolia": False}


def test_each_network_has_a_round_of_its_own_kind():
    watched = {
        name: (work.args, work.every_seconds)
        for name, work in rounds(OURS).items()
        if name.startswith("wallets.watch_")
    }

    assert watched == {
        "wallets.watch_accounts:Solana": (("Solana",), 1),
        "wallets.watch_blocks:Base": (("Base",), 2),
        "wallets.watch_blocks:Sepolia": (("Sepolia",), 2),
    }


def test_every_other_line_is_one_round():
    others = {name for name, work in PERIODIC.items() if work.by_account is None}

    assert {name for name, work in rounds({}).items() if not work.args} == others == set(rounds({}))
    assert {name for name in rounds(OURS) if ":" not in name} == others
