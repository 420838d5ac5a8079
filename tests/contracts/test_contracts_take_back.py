"""A change of address that the old mailbox takes back: nothing that was done with the new
one outlives it, and nothing that stood before is lost by it."""

from newsletter.subscribers.model import Subscriber
from tests.web.site import Site
from tests.web.test_web_preferences import path_in

LILIT = "lilit@reader.example"
NEW = "new@other.example"
BOTH = {"newsletter": ["weekly", "kitchen"]}


def reader_of_one(site: Site) -> Subscriber:
    """Lilit, who gets the weekly and has left the kitchen."""
    lilit = site.put(LILIT)
    site.put(LILIT, newsletter="kitchen")
    site.client.post(site.unsubscribe_path(lilit, "kitchen"))
    return lilit


def ask_to_move(site: Site, who: Subscriber, to: str) -> str:
    """The path of the link that the new mailbox gets."""
    site.client.post(site.preferences_path(who) + "/address", data={"address": to})
    ((asked, question),) = site.outgoing()
    assert asked.address == to
    return path_in(question, "address")


def move(site: Site, who: Subscriber, to: str) -> str:
    """Change the address; the path of the link by which the old mailbox takes it back."""
    assert "is changed" in site.client.post(ask_to_move(site, who, to)).text
    ((_, letter),) = site.outgoing()
    return path_in(letter, "take-back")


def test_a_confirmation_counts_as_long_as_its_mailbox_is_the_readers(site: Site) -> None:
    lilit = reader_of_one(site)
    site.choose(site.preferences_path(lilit), BOTH)
    ((_, before),) = site.outgoing()
    take_back = move(site, lilit, NEW)
    site.clock.sleep(25 * 3600)
    site.choose(site.preferences_path(lilit), BOTH)
    ((asked, between),) = site.outgoing()
    assert asked.address == NEW
    mine, theirs = path_in(before, "confirm"), path_in(between, "confirm")
    for answer in (site.client.get(mine), site.client.post(mine)):
        assert answer.status_code == 410
    assert site.client.get(theirs).status_code == 200
    site.client.post(take_back)
    for answer in (site.client.get(theirs), site.client.post(theirs)):
        assert answer.status_code == 410
    assert (site.state(LILIT), site.state(LILIT, "kitchen")) == ("active", "unsubscribed")
