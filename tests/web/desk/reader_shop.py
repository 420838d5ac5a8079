"""Readers of every kind for the pages of the desk: who came, left and may not be mailed."""

from datetime import timedelta

from newsletter.subscribers.model import (
    Consent,
    LeaveReason,
    ReaderUpload,
    Subscriber,
    SubscriptionState,
    SuppressionReason,
    UploadKind,
    UploadState,
)
from newsletter.workflows.reader_uploads import receive_upload, work_uploads
from tests.web.site import NOW, Site

LILIT = "lilit@reader.example"
GONE = "gone@reader.example"
WORDING = "Send me The Courier Weekly by e-mail. I can leave at any time, with one click."


def fill(site: Site) -> None:
    """A hundred readers over eleven weeks, by both placements; some of them left."""
    for number in range(100):
        at = NOW - timedelta(days=77 - number * 7 // 10)
        name = f"reader{number}"
        add(site, f"{name}@{'town' if number % 3 else 'mail'}.example", name=name, days=at)
    add(site, LILIT, name="lilit", days=NOW - timedelta(days=9))
    with site.database.write() as tx:
        for number in range(0, 40, 3):
            tx.subscribers.move(
                *(f"reader{number}", "weekly", [SubscriptionState.ACTIVE]),
                *(SubscriptionState.UNSUBSCRIBED, NOW - timedelta(days=number), "reader"),
                ("page", "one-click")[number % 2],
            )
            tx.preferences.tell_why_left(
                f"reader{number}", "weekly", list(LeaveReason)[number % 5], NOW, "reader"
            )
        for number, reason in enumerate(SuppressionReason):
            address_hash = site.keyring.hash_address(f"reader{number + 50}@town.example")
            tx.subscribers.suppress(address_hash, reason, NOW - timedelta(days=number), "test")


def add(site: Site, address: str, *, name: str, days: object) -> None:
    """A reader who signed up and confirmed an hour later."""
    at = days
    placement = "article" if len(name) % 2 else "footer"
    consent = Consent(
        *("embed", WORDING, at, placement),
        *("https://paper.example/2025/08/bread/", "en"),
    )
    with site.database.write() as tx:
        reader = Subscriber(name, address, at, name.title(), "hy" if name == "lilit" else None)
        tx.subscribers.add(reader, site.keyring.hash_address(address))
        tx.subscribers.subscribe(name, "weekly", SubscriptionState.PENDING, consent, at, "reader")
        tx.subscribers.move(
            *(name, "weekly", [SubscriptionState.PENDING], SubscriptionState.ACTIVE),
            *(at + timedelta(hours=1), "reader", "confirmed"),
        )


def one(site: Site) -> str:
    """The path of Lilit's page."""
    return "/readers/one/lilit"


def uploaded(site: Site) -> str:
    """The path of a file that was looked through: of every class a row."""
    content = (
        f"Email,Name,Town\nnew@reader.example,New,Fresno\nnothing,Nobody,\n{LILIT},Lilit,Paris\n"
        "reader0@mail.example,Zero,\nreader51@mail.example,Five,\nnew@reader.example,New,\n"
    )
    store, now = site.context.uploads, site.clock.now()
    path = store.new_path("shop")
    path.write_text(content, encoding="utf-8")
    upload = ReaderUpload(
        *("upload1", UploadKind.READERS, "paper slips 2019.csv", len(content), "weekly", "test"),
        *(UploadState.CHECKING, now, now),
        consent="Signed up on paper slips in 2019",
    )
    receive_upload(site.database, store, path, upload)
    if site.context.installation is not None:
        work_uploads(site.context.installation, lambda: False)
    return f"/readers/imports/{upload.public_id}"
