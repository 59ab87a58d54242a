"""The folder of a stack: one owner, private files, secrets made once."""

import json
import os

import pytest

from config_production import TEST_KEYS
from protonpay.stack import home as homes
from protonpay.stack import settings
from protonpay.stack.failures import StackError
from protonpay.stack.home import Home


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    made.folder.mkdir()
    return made


def mode(path):
    return path.stat().st_mode & 0o777


def test_secrets_are_made_once_and_are_private(home):
    first = settings.kept_secrets(home)
    assert settings.kept_secrets(home) == first
    assert mode(home.secrets) == 0o600


def test_a_secret_that_is_new_is_added_to_the_old_ones(home):
    first = settings.kept_secrets(home)
    homes.write_json(home.secrets, {n: v for n, v in first.items() if n != "METRICS_TOKEN"})
    second = settings.kept_secrets(home)
    assert second | {"METRICS_TOKEN": ""} == first | {"METRICS_TOKEN": ""}
    assert second["METRICS_TOKEN"] != first["METRICS_TOKEN"]


def test_production_would_refuse_the_secrets_of_a_sandbox(home):
    kept = settings.kept_secrets(home)
    assert kept["SECRET_KEY"].startswith("sandbox-")
    assert kept["DATA_KEY"].startswith("sandbox-")
    for name, beginnings in TEST_KEYS.items():
        assert kept[name].startswith(beginnings)


def test_a_file_is_replaced_whole_and_private(home):
    path = home.folder / "file"
    path.write_text("old")
    path.chmod(0o644)
    homes.write(path, "new")
    assert path.read_text() == "new"
    assert mode(path) == 0o600
    assert [entry.name for entry in home.folder.iterdir()] == ["file"]


def test_the_wishes_of_who_starts_it_come_first():
    ours = {"LOG_LEVEL": "INFO", "PORT": "8123", "WEBHOOK_ALLOW_INSECURE_TARGETS": "127.0.0.1:9"}
    wishes = {
        "LOG_LEVEL": "DEBUG",
        "PORT": "0",
        "WEBHOOK_ALLOW_INSECURE_TARGETS": "127.0.0.1:7,127.0.0.1:8",
        "HOME": "/",
    }
    assert settings.as_wished(ours, wishes) == {
        "LOG_LEVEL": "DEBUG",
        "PORT": "8123",
        "WEBHOOK_ALLOW_INSECURE_TARGETS": "127.0.0.1:9 127.0.0.1:7,127.0.0.1:8",
    }


def test_a_folder_that_is_taken_is_refused_by_the_address_of_who_has_it(home, monkeypatch):
    monkeypatch.setattr(homes, "_HANDOVER_SECONDS", 0.0)
    first = Home(home.folder)
    first.take()
    first.say(web="http://127.0.0.1:8123")
    with pytest.raises(StackError, match=r"http://127\.0\.0\.1:8123 \(process \d+\)"):
        home.take()


def test_a_folder_whose_owner_has_gone_is_free(home):
    first = Home(home.folder)
    first.take()
    first.say(web="http://127.0.0.1:8123")
    os.close(first._lock)
    home.take()


def test_taking_a_folder_takes_away_what_an_earlier_run_said(home):
    home.facts.write_text("{}")
    home.take()
    assert not home.facts.exists()


def test_what_is_said_later_and_shorter_leaves_nothing_of_the_earlier(home):
    home.take()
    home.say(web="http://127.0.0.1:8123", stopping=True)
    home.say()
    assert json.loads((home.folder / "lock").read_text()) == {"pid": os.getpid()}
