"""Two who write letters at the same moment write each once; two who read move one position."""

from protonpay.notifications import emails, service
from protonpay.notifications.service import Reader
from protonpay.store.db import release
from tests.actors import make_actor
from tests.committed import OpenHouse
from tests.mail.letters import letters
from tests.notifications.happenings import happen, read, unread


def test_each_letter_is_written_once_whoever_writes(open_house: OpenHouse):
    owner = make_actor(open_house.app, "Olga")
    happen(owner, *["deposit.confirmed"] * 7)
    ended = open_house.inside_at_once([lambda: emails.write(10)] * 6)
    assert [one for one in ended if not isinstance(one, int)] == []
    release()
    assert letters(owner.email).count("deposit_credited") == 7


def test_who_reads_twice_at_once_has_read_it(open_house: OpenHouse):
    owner = make_actor(open_house.app, "Olga")
    told = happen(owner, *["deposit.confirmed"] * 5)
    me = Reader(owner.id, owner.id)
    works = [lambda: service.mark(me, some=told), lambda: service.mark(me, up_to=3)] * 3
    ended = open_house.inside_at_once(works)
    assert [one for one in ended if not isinstance(one, int)] == []
    assert unread(owner) == 0
    assert read(owner, upTo=5) == 0
