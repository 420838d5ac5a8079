"""A list comes in at the desk: uploaded, looked through, imported, taken back."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from newsletter.errors import StorageError
from newsletter.publication.editors import Role
from newsletter.storage.imports import ImportRepository
from newsletter.storage.uploads import UploadRepository
from newsletter.subscribers.model import SuppressionReason, UploadState
from newsletter.web.app import create_app
from newsletter.web.desk import readers_table, uploading
from newsletter.workflows import import_subscribers, reader_uploads
from newsletter.workflows.installation import Installation
from newsletter.workflows.reader_uploads import KEPT_FOR, tidy_uploads, work_uploads
from tests.web.desk.people import FROM_US, Person, somebody, stranger
from tests.web.desk.reader_shop import LILIT
from tests.web.desk.test_desk_reader_figures import text_of
from tests.web.site import Site

IMPORTS = "/desk/readers/imports"
CONSENT = "Signed up at paper.example, 2015 to 2024"
LIST = (
    "Email;Name;Town\n"
    "anahit@reader.example;Anahit;Fresno\n"
    "no address;Nobody;Nowhere\n"
    "=cmd@;Formula;Here\n"
    f"{LILIT};Lilit;Paris\n"
    "anahit@reader.example;Anahit;Fresno\n"
).encode()


@pytest.fixture
def publisher(site: Site) -> Person:
    site.put(LILIT, "unsubscribed")
    return somebody(site, Role.PUBLISHER)


def send(
    person: Person,
    content: bytes = LIST,
    path: str = IMPORTS,
    headers: Mapping[str, str] = FROM_US,
    **fields: str,
) -> Response:
    data = {"newsletter": "weekly", "consent": CONSENT, "csrf": person.csrf(), **fields}
    return person.client.post(
        path, data=data, files={"file": ("readers 2024.csv", content)}, headers=headers
    )


def test_a_file_is_kept_while_the_database_takes_nothing(
    publisher: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = publisher.site

    def fail(*_: object) -> None:
        raise StorageError("the database is locked", subject="database")

    with monkeypatch.context() as resting:
        resting.setattr(UploadRepository, "add", fail)
        answer = send(publisher)
    assert answer.status_code == 202
    assert "The file is here, and waits" in answer.text
    with site.database.read() as tx:
        assert tx.uploads.latest(5) == []
    for _ in range(2):
        work(site)
        with site.database.read() as tx:
            (upload,) = tx.uploads.latest(5)
        assert (upload.state, upload.file) == (UploadState.CHECKED, "readers 2024.csv")
        assert upload.consent == CONSENT
    assert upload.public_id in publisher.get(IMPORTS).text


def test_a_file_waits_for_a_database_that_rests_but_not_for_ever(
    publisher: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = publisher.site
    send(publisher)

    def state() -> UploadState:
        with site.database.read() as tx:
            (upload,) = tx.uploads.latest(5)
        return upload.state

    def fail(*_: object) -> None:
        raise StorageError("the database is locked", subject="database")

    with monkeypatch.context() as resting:
        resting.setattr(ImportRepository, "standings", fail)
        work(site)
        assert state() is UploadState.CHECKING
    work(site)
    assert state() is UploadState.CHECKED
    send(publisher)
    monkeypatch.setattr(ImportRepository, "standings", fail)
    # However long it lay in the queue before.
    site.clock.sleep(7200)
    work(site)
    with site.database.read() as tx:
        assert UploadState.FAILED not in {one.state for one in tx.uploads.latest(5)}
    site.clock.sleep(3600)
    work(site)
    with site.database.read() as tx:
        failed = [one for one in tx.uploads.latest(5) if one.state is UploadState.FAILED]
    assert [one.problem for one in failed] == ["the database is locked"]


def installation_of(site: Site) -> Installation:
    assert site.context.installation is not None
    return site.context.installation


def work(site: Site) -> None:
    work_uploads(installation_of(site), lambda: False)


def files_of(site: Site) -> list[Path]:
    folder = site.context.uploads.folder
    return sorted(folder.iterdir()) if folder.is_dir() else []


def test_a_list_is_looked_through_imported_and_taken_back(site: Site, publisher: Person) -> None:
    answer = send(publisher)
    assert answer.status_code == 303
    page = answer.headers["location"]
    assert re.fullmatch(rf"{IMPORTS}/\w+", page)
    assert "being looked through" in publisher.get(page).text
    (file,) = files_of(site)
    assert file.stat().st_mode & 0o777 == 0o600
    work(site)
    told = text_of(publisher.get(page).text)
    for part in (
        *("looked through, waits for you", "plain CSV", "utf-8", "not taken Town", CONSENT),
        *("What would become of the rows", "1 added", "1 left earlier", "2 can’t be used"),
        *("1 repeated in the file", "3, 4"),
    ):
        assert part in told, (part, told)
    assert site.state("anahit@reader.example") == "unknown"
    refused = publisher.get(f"{page}/refused")
    assert refused.headers["content-disposition"] == 'attachment; filename="refused.csv"'
    assert refused.text.splitlines()[1].startswith("3,")
    assert ",'=cmd@," in refused.text
    assert publisher.post(f"{page}/start").headers["location"] == page
    assert "being imported" in publisher.get(page).text
    assert publisher.post(f"{page}/start").status_code == 409
    work(site)
    assert "What became of the rows" in publisher.get(page).text
    subscription = site.subscription("anahit@reader.example")
    assert subscription is not None
    assert subscription.consent.wording == CONSENT
    assert site.state(LILIT) == "unsubscribed"
    assert [file.name for file in files_of(site)] == [f"{page.rpartition('/')[2]}.refused.csv"]
    past = publisher.get(IMPORTS).text
    assert "Take this import back" in past
    assert publisher.post(f"{page}/undo").status_code == 303
    assert "is being taken back" in publisher.get(IMPORTS).text
    assert publisher.post(f"{page}/undo").status_code == 409
    work(site)
    assert site.state("anahit@reader.example") == "unknown"
    assert "taken back" in publisher.get(IMPORTS).text
    assert publisher.post(f"{page}/undo").status_code == 409
    with site.database.read() as tx:
        acts = [(one.actor, one.act) for one in tx.changes.of("import", page.rpartition("/")[2])]
    assert publisher.editor is not None
    who = publisher.editor.public_id
    assert acts == [(who, "uploaded"), (who, "import wanted"), (who, "undo wanted")]


def test_further_columns_are_kept_where_that_is_wanted(site: Site, publisher: Person) -> None:
    page = send(publisher, all_columns="yes").headers["location"]
    work(site)
    publisher.post(f"{page}/start")
    work(site)
    subscription = site.subscription("anahit@reader.example")
    assert subscription is not None
    assert subscription.subscriber.attributes == {"town": "Fresno"}


def test_whom_mailchimp_tells_no_opt_in_of_come_with_a_tick_only(
    site: Site, publisher: Person
) -> None:
    rows = b"Email Address,OPTIN_TIME,CONFIRM_TIME,LEID,EUID\nanahit@reader.example,,,7,x\n"
    page = send(publisher, rows).headers["location"]
    work(site)
    assert "1 without opt-in" in text_of(publisher.get(page).text)
    page = send(publisher, rows, without_opt_in="yes").headers["location"]
    work(site)
    assert "1 added" in text_of(publisher.get(page).text)
    publisher.post(f"{page}/start")
    work(site)
    assert site.state("anahit@reader.example") == "active"


def test_an_import_that_can_not_be_taken_back_says_so_and_waits_to_be_asked_again(
    site: Site, publisher: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = send(publisher).headers["location"]
    work(site)
    publisher.post(f"{page}/start")
    work(site)
    publisher.post(f"{page}/undo")
    behind = send(publisher).headers["location"]
    with monkeypatch.context() as patched:
        # No import is known of which it fails; so a part of ours is broken here.
        patched.setattr(reader_uploads, "undo_import", lambda *_, **__: 1 // 0)
        work(site)
    past = publisher.get(IMPORTS).text
    assert "not taken back to its end" in past
    assert "the log says more under undo_failed" in past
    assert "looked through, waits for you" in text_of(publisher.get(behind).text)
    assert publisher.post(f"{page}/undo").status_code == 303
    work(site)
    assert "not taken back to its end" not in publisher.get(IMPORTS).text
    assert site.state("anahit@reader.example") == "unknown"


@pytest.mark.parametrize(
    ("fields", "content", "problem"),
    [
        ({"consent": "  "}, LIST, "consent-problem"),
        ({"newsletter": "nothing"}, LIST, "problem"),
        ({}, b"", "file-problem"),
    ],
)
def test_what_is_missing_is_told_at_its_field(
    site: Site, publisher: Person, fields: dict[str, str], content: bytes, problem: str
) -> None:
    answer = send(publisher, content, **fields)
    assert answer.status_code == 422
    assert f'id="{problem}"' in answer.text
    assert files_of(site) == []


def test_a_form_without_a_file_is_told_so(publisher: Person) -> None:
    answer = publisher.post(IMPORTS, {"newsletter": "weekly", "consent": CONSENT})
    assert answer.status_code == 422
    assert 'id="file-problem"' in answer.text


def test_a_file_that_is_no_list_fails_in_a_sentence(site: Site, publisher: Person) -> None:
    page = send(publisher, b"\x89PNG\r\n\x1a\n\0\0").headers["location"]
    work(site)
    told = publisher.get(page).text
    assert "failed" in told
    assert "no column of addresses" in told
    assert not any(file.suffix == ".csv" and "refused" not in file.name for file in files_of(site))
    assert publisher.post(f"{page}/drop").headers["location"] == f"{IMPORTS}?done=dropped"
    assert publisher.get(page).status_code == 404


def test_a_fault_of_ours_ends_one_file_and_not_those_behind_it(
    site: Site, publisher: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is known that does it; so a part of ours is broken here."""
    broken = send(publisher).headers["location"]
    with monkeypatch.context() as patched:
        patched.setattr(reader_uploads, "open_subscriber_file", lambda *_, **__: 1 // 0)
        work(site)
    told = publisher.get(broken).text
    assert "failed" in told
    assert "a fault of this program ended it" in told
    assert publisher.post(f"{broken}/drop").status_code == 303
    page = send(publisher).headers["location"]
    work(site)
    assert "looked through, waits for you" in text_of(publisher.get(page).text)


def test_a_file_is_let_go_at_will_and_after_its_time(site: Site, publisher: Person) -> None:
    page = send(publisher).headers["location"]
    assert publisher.post(f"{page}/drop").status_code == 409  # it is being read
    work(site)
    other = send(publisher, LIST + b"x@y.example;X;Y\n").headers["location"]
    work(site)
    assert publisher.post(f"{page}/drop").status_code == 303
    assert len(files_of(site)) == 2
    tidy_uploads(installation_of(site))
    assert len(files_of(site)) == 2
    site.clock.sleep((KEPT_FOR + timedelta(hours=1)).total_seconds())
    tidy_uploads(installation_of(site))
    assert files_of(site) == []
    assert somebody(site, Role.ADMIN).get(other).status_code == 404


def test_only_who_may_sends_a_file_and_nothing_of_another_is_kept(site: Site) -> None:
    viewer = somebody(site, Role.VIEWER)
    for person, headers in (
        (viewer, FROM_US),
        (stranger(site), FROM_US),
        (somebody(site, Role.ADMIN), {"sec-fetch-site": "cross-site"}),
    ):
        assert send(person, headers=headers).status_code in (303, 403)
        assert files_of(site) == []
    admin = somebody(site, Role.PUBLISHER)
    assert send(admin, csrf="wrong").status_code == 403
    assert files_of(site) == []
    with site.database.read() as tx:
        assert tx.uploads.latest(9) == []


def test_no_other_form_takes_more_than_it_did_and_this_has_its_limit(
    site: Site, publisher: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = LIST + b"x@y.example;X;Y\n" * 4_000
    assert send(publisher, large).status_code == 303
    assert send(publisher, large, path="/desk/readers/find").status_code == 413
    monkeypatch.setattr(readers_table, "MOST_BYTES", 40_000)
    client = TestClient(
        create_app(site.context), str(publisher.client.base_url), follow_redirects=False
    )
    client.cookies = publisher.client.cookies
    publisher = Person(site, client, publisher.editor)
    before = files_of(site)
    assert send(publisher, large).status_code == 413
    chunks = (large[start : start + 4_000] for start in range(0, len(large), 4_000))
    answer = publisher.client.post(
        IMPORTS,
        content=(
            b"--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n" + chunk
            for chunk in chunks
        ),
        headers={**FROM_US, "content-type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code in (400, 413)
    assert files_of(site) == before


def test_a_broken_form_is_refused_and_leaves_nothing(site: Site, publisher: Person) -> None:
    for body in (
        b"",
        b"--x\r\nnonsense",
        b"--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\nabc",
    ):
        answer = publisher.client.post(
            IMPORTS,
            content=body,
            headers={**FROM_US, "content-type": "multipart/form-data; boundary=x"},
        )
        assert answer.status_code in (400, 403), body
    answer = publisher.client.post(
        IMPORTS, content=b"abc", headers={**FROM_US, "content-type": "multipart/form-data"}
    )
    assert answer.status_code in (400, 403)
    assert files_of(site) == []


class Killed(BaseException):
    """As if the process had ended there."""


@pytest.mark.parametrize("at", range(1, 8))
def test_an_import_goes_on_wherever_a_process_ended(
    site: Site, publisher: Person, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(import_subscribers, "BATCH_ROWS", 2)
    rows = "".join(f"r{number}@reader.example\n" for number in range(9)).encode()
    page = send(publisher, b"email\n" + rows).headers["location"]
    work(site)
    publisher.post(f"{page}/start")
    real, calls = type(site.database).write, 0

    def write(database: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed
        return real(database)  # type: ignore[arg-type]

    monkeypatch.setattr(type(site.database), "write", write)
    with pytest.raises(Killed):
        work(site)
    monkeypatch.setattr(type(site.database), "write", real)
    work(site)
    told = text_of(publisher.get(page).text)
    assert "What became of the rows" in told
    assert "9 added" in told
    with site.database.read() as tx:
        (done,) = tx.imports.all()
        assert (done.rows, done.counts["added"]) == (9, 9)
        assert tx.uploads.get(page.rpartition("/")[2]).state is UploadState.DONE


def test_it_stops_where_it_is_told_and_another_goes_on(
    site: Site, publisher: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_subscribers, "BATCH_ROWS", 2)
    monkeypatch.setattr(reader_uploads, "_NOTE_SECONDS", 0)
    rows = "".join(f"r{number}@reader.example\n" for number in range(9)).encode()
    page = send(publisher, b"email\n" + rows).headers["location"]
    work(site)
    publisher.post(f"{page}/start")
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    work_uploads(installation_of(site), stop)
    shown = text_of(publisher.get(f"{page}/state").text)
    assert re.search("[2468] rows of about 11", shown)
    work(site)
    assert "9 added" in text_of(publisher.get(page).text)


@pytest.mark.parametrize(("separator", "encoding"), [(",", "utf-8"), (";", "utf-16")])
def test_a_list_of_who_is_never_mailed_comes_in(
    site: Site, publisher: Person, separator: str, encoding: str
) -> None:
    rows = "email,reason\na@b.example,complaint\n@spam.example,\n*.evil.example,legal\nnothing,\n"
    content = rows.replace(",", separator).encode(encoding)
    answer = send(publisher, content, path="/desk/readers/suppressed/import", reason="bounced")
    page = answer.headers["location"]
    work(site)
    told = text_of(publisher.get(page).text)
    would_be = ("What would become of the rows", "1 addresses added")
    for part in (*would_be, "plain CSV", "address, reason", "says nothing bounced"):
        assert part in told, (part, told)
    with site.database.read() as tx:
        assert tx.suppressions.rules() == []
        assert tx.subscribers.suppression(site.keyring.hash_address("a@b.example")) is None
    assert publisher.post(f"{page}/start").headers["location"] == page
    work(site)
    told = text_of(publisher.get(page).text)
    assert "What became of the rows" in told
    assert "1 addresses added" in told
    # A whole domain can't be suppressed as bounced.
    assert "1 domains added" in told
    assert "2 can’t be used" in told
    with site.database.read() as tx:
        assert tx.subscribers.suppression(site.keyring.hash_address("a@b.example")) is (
            SuppressionReason.COMPLAINT
        )
    empty = send(publisher, b"", path="/desk/readers/suppressed/import")
    assert empty.status_code == 422


def test_the_size_that_is_told_is_the_one_that_is_taken(publisher: Person) -> None:
    assert uploading.MOST_BYTES == 300_000_000
    assert "Up to 300 MB" in publisher.get(IMPORTS).text


def test_the_way_there_is_where_it_is_looked_for(site: Site) -> None:
    admin, editor = somebody(site, Role.ADMIN), somebody(site, Role.EDITOR)
    for page in ("/desk/readers", "/desk/settings"):
        assert 'href="/desk/readers/imports"' in admin.get(page).text
    assert 'href="/desk/readers/imports"' not in editor.get("/desk/readers").text
