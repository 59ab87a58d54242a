"""A list of addresses in a file: what it matches, when it is read again, and when it is refused."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from protonpay.screening.offline import ListUnreadable, OfflineList
from protonpay.screening.service import Screening
from tests.another_app import another_app

BAD = "0x7F367cC41522cE07553e823bf3be79A889DEbe1B"
BAD_SOLANA = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "listed.txt"
    file.write_text(f"# of today\n\n{BAD} OFAC SDN # a remark\n  {BAD_SOLANA}\n")
    return file


def _rewrite(path: Path, words: str) -> None:
    """Write another list, of a later moment whatever the clock's steps are."""
    later = path.stat().st_mtime_ns + 1_000_000_000 if path.exists() else 10**18
    path.write_text(words)
    os.utime(path, ns=(later, later))


@pytest.mark.parametrize("written", [BAD, BAD.lower(), "0x" + BAD[2:].upper()])
def test_an_evm_address_is_the_same_in_any_case(path: Path, written: str):
    assert OfflineList(path).hit("evm", written) == "OFAC SDN"


def test_a_solana_address_is_its_exact_letters(path: Path):
    listed = OfflineList(path)
    assert listed.hit("solana", BAD_SOLANA) == "line 4"
    assert listed.hit("solana", BAD_SOLANA.lower()) is None
    assert listed.hit("solana", BAD_SOLANA[:-1] + "w") is None


def test_a_list_that_changes_is_read_again(path: Path):
    listed = OfflineList(path)
    _rewrite(path, "")
    assert listed.hit("evm", BAD) is None
    _rewrite(path, f"{BAD.lower()} again\n")
    assert listed.hit("evm", BAD) == "again"


@pytest.mark.parametrize("words", ["0x12 too short\n", f"{BAD}\nnot an address\n", "\udcff"])
def test_half_a_list_is_none_and_the_old_one_stands_with_an_alarm(path: Path, words: str):
    listed = OfflineList(path)
    path.write_bytes(words.encode("utf-8", "surrogateescape"))
    os.utime(path, ns=(10**18, 10**18))
    with capture_logs() as logs:
        assert listed.hit("evm", BAD) == "OFAC SDN"
    assert [line["event"] for line in logs] == ["screening_list_unreadable"]
    assert listed.is_stale
    with pytest.raises(ListUnreadable):
        OfflineList(path)

    _rewrite(path, "")
    assert (listed.hit("evm", BAD), listed.is_stale) == (None, False)


def test_a_list_that_is_gone_stands_as_it_was(path: Path):
    listed = OfflineList(path)
    path.unlink()
    assert (listed.hit("evm", BAD), listed.is_stale) == ("OFAC SDN", True)


def test_without_a_list_it_does_not_start(settings: dict[str, str], tmp_path: Path):
    with (
        pytest.raises(ListUnreadable, match="No such file"),
        another_app(settings, SCREENING_LIST=str(tmp_path / "nowhere")),
    ):
        pass


def test_where_nothing_is_set_nobody_is_listed(path: Path):
    screening = Screening()
    assert (screening.hit("evm", BAD), screening.is_stale()) == (None, False)
    screening.bind(OfflineList(path))
    assert (screening.hit("evm", BAD), screening.hit("evm", None)) == ("OFAC SDN", None)
