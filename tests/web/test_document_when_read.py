"""The API document is written when it is read: a command, or a worker, does not wait for it."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from protonpay.web.api import AreaBlueprint
from tests.another_app import another_app
from tests.web.doors import DOCUMENT

READERS = 4


def test_an_application_is_made_without_it_and_all_who_read_it_first_read_it_whole(
    settings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
):
    described: list[str] = []
    describe = AreaBlueprint.register_views_in_doc

    def noted(self: AreaBlueprint, *arguments: object, **more: object) -> None:
        described.append(self.name)
        describe(self, *arguments, **more)

    monkeypatch.setattr(AreaBlueprint, "register_views_in_doc", noted)
    with another_app(settings) as app:
        assert described == []
        gate = threading.Barrier(READERS)

        def read(_: int) -> object:
            gate.wait(timeout=30)
            return app.test_client().get("/api/openapi.json").get_json()

        with ThreadPoolExecutor(READERS) as readers:
            assert list(readers.map(read, range(READERS))) == [DOCUMENT] * READERS
        assert len(described) == len(set(described)) > 10


def test_a_document_that_could_not_be_written_is_not_told_in_part(
    settings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
):
    failing = [True]
    describe = AreaBlueprint.register_views_in_doc

    def fails_once(self: AreaBlueprint, *arguments: object, **more: object) -> None:
        if self.name == "deposits" and failing:
            failing.clear()
            raise LookupError
        describe(self, *arguments, **more)

    monkeypatch.setattr(AreaBlueprint, "register_views_in_doc", fails_once)
    with another_app(settings) as app:
        reader = app.test_client()
        assert reader.get("/api/openapi.json").status_code == 500
        assert reader.get("/api/openapi.json").get_json() == DOCUMENT
