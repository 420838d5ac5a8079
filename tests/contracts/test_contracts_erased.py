"""A dump of the database tells nobody who was forgotten, nor any secret, whatever way they came."""

import re
import sqlite3
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from newsletter.delivery.model import Mailing
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.subscribers.address import limit_address
from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.workflows.change_address import TAKE_BACK_WITHIN
from newsletter.workflows.import_subscribers import import_subscribers
from tests.web.site import NOW, SETTINGS, Site, links_in, serve_site

ADDRESS, FIRST_ADDRESS = "siranush@reader.example", "anush@former.example"
NAME, VISITOR = "Siranush Vardanyan", "203.0.113.77"
TRACES = ("siranush", "anush@", "Vardanyan", "Gyumri", "Վարդանյան")


def dump(database: Database) -> str:
    """All that a backup would hold, as its text."""
    if database.is_sqlite:
        with closing(sqlite3.connect(str(database.url.database))) as connection:
            return "\n".join(connection.iterdump())
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    pieces = []
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (name,) in names.fetchall():
            table = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))
            with connection.cursor().copy(table) as copied:
                pieces += [bytes(piece).decode() for piece in copied]
    return "\n".join(pieces)


def tokens_in(mails: list[Mailing]) -> set[str]:
    """The tokens in the links of mails, each as it stands there and by its last part alone."""
    whole = {
        found
        for mail in mails
        for link in links_in(mail.html + mail.text)
        for found in re.findall(r"/(a\.[a-z0-9.]+)", link)
    }
    return whole | {token.rpartition(".")[2] for token in whole}


def path_to(door: str, mails: list[Mailing]) -> str:
    """The path of the newest link in mails that leads to a door."""
    links = [link for mail in mails for link in links_in(mail.html + mail.text)]
    return next(
        link[link.index(f"/{door}/") :].rstrip(".")
        for link in reversed(links)
        if f"/{door}/" in link
    )


def walk(site: Site) -> list[Mailing]:
    """Sign up, confirm, choose, move, leave, come back, be brought by a list; the mails of it."""
    mails: list[Mailing] = []

    def post(path: str, **fields: str) -> None:
        assert site.client.post(path, data=fields).status_code == 200
        mails.extend(mail for _, mail in site.outgoing())

    site.sign_up(FIRST_ADDRESS, name=NAME, placement="footer")
    mails.extend(mail for _, mail in site.outgoing())
    post(path_to("confirm", mails))
    preferences = path_to("preferences", mails)
    chosen = {"shown": "weekly", "newsletter": "weekly"}
    post(preferences, **chosen, name="Vardanyan Վարդանյան", language="")
    post(f"{preferences}/address", address=ADDRESS)
    post(path_to("address", mails))
    leave = path_to("unsubscribe", mails)
    page = site.client.post(leave, data={"List-Unsubscribe": "One-Click"})
    assert page.status_code == 200
    post(leave, **{"from": "goodbye", "reason": "other"})
    page = site.client.post(leave, data={"from": "page"})
    (undo,) = set(re.findall(r'name="undo" value="([^"]+)"', page.text))
    post(leave, undo=undo)
    rows = f"email,name,timezone,Town\n{ADDRESS},{NAME},Asia/Yerevan,Gyumri\n"
    import_subscribers(
        *(site.database, site.keyring),
        open_subscriber_file(rows.encode(), attributes=["town"]),
        newsletter="weekly",
        consent="on paper",
        actor="anna",
        now=NOW,
    )
    # As long as the old mailbox may take the address back, none of it goes to the new one.
    site.clock.instant += TAKE_BACK_WITHIN
    post(f"{preferences}/data")
    return mails


def test_a_dump_holds_nothing_of_who_was_forgotten(
    database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with database.write() as tx:
        tx.settings.register(SETTINGS, NOW)
    with serve_site(tmp_path, database, visitor=VISITOR) as site:
        mails = walk(site)
        tokens = tokens_in(mails)
        assert len(tokens) > 8
        keys = (b"k" * 32, b"h" * 32)
        secrets = [*(key.hex() for key in keys), *(b64encode(key).decode() for key in keys)]
        secrets += ["k" * 32, "h" * 32, VISITOR]
        before = dump(database)
        assert [trace for trace in TRACES if trace not in before] == []
        assert [secret for secret in secrets if secret in before] == []
        data = path_to("data", mails)
        assert site.client.post(data, data={"act": "download"}).json()["changes"]
        assert "You are forgotten" in site.client.post(data, data={"act": "forget"}).text
        with database.write() as tx:
            # As the night after the first address was confirmed: how often it was written to.
            tx.retention.drop_confirmations(NOW + TAKE_BACK_WITHIN, NOW, 9)
        after = dump(database)
        logs = "".join(capfd.readouterr())
    for told in (after, logs):
        assert [one for one in (*TRACES, *secrets, *tokens) if one in told] == []
    # What is left of both addresses is known by the key alone, and forbids mail to them.
    hashes = {site.keyring.hash_address(one) for one in (ADDRESS, FIRST_ADDRESS)}
    assert all(limit_address(one) == one for one in (ADDRESS, FIRST_ADDRESS))
    with database.read() as tx:
        assert set(tx.connection.scalars(sa.select(t.suppression.c.address_hash))) == hashes
    for kept in hashes:
        lines = [line for line in after.splitlines() if kept in line]
        assert len(lines) == 2, "the list of who is never mailed, and the log of it"
