"""`newsletter issue preview`: what a reader would get, in files."""

import json
import quopri
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from PIL import Image

from newsletter.delivery.model import Mailing, MailingKind
from newsletter.errors import RenderError, TokenError
from newsletter.issues.model import IssueState
from newsletter.rendering import chromium
from newsletter.rendering.chromium import open_chromium
from newsletter.rendering.screenshots import LOOKS
from newsletter.storage.database import Database
from newsletter.tokens import Purpose, load_keyring
from tests.acceptance.command_line import Answer, must, write_config
from tests.cli.conftest import Call
from tests.cli.test_cli_pictures import NOW, feed_of
from tests.pictures.samples import quarters, saved
from tests.web_pages import Site, serve, site

__all__ = ["site"]

NAMES = [f"{look.name}.png" for look in LOOKS]
# A wide part of each of these is of the picture's own colours.
PICTURE = saved(quarters(1600, 1200), "JPEG")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation with a draft of one issue, whose lead has a picture of our own."""
    site = Site()
    server = serve(site)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    folder = tmp_path_factory.mktemp("paper")
    write_config(folder, feed=site.url("/feed"), port=25)
    site.page("/lead.jpg", PICTURE)
    site.page("/feed", feed_of({"Lead > others": site.url("/lead.jpg")}))
    must(folder, "issue", "draft", "--now", NOW)
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def preview(call: Call, folder: Path, out: str, *arguments: str) -> Answer:
    return call(folder, "issue", "preview", "--out", out, "--now", NOW, *arguments)


@pytest.fixture(scope="module")
def written(folder: Path) -> Path:
    """The files of a preview with pictures."""
    answer = must(folder, "issue", "preview", "--out", "out", "--now", NOW, "--json")
    assert answer.json["notes"] == []
    assert json.loads((folder / "out/preview.json").read_text(encoding="utf-8")) == answer.json
    return folder / "out"


def test_the_message_is_what_a_reader_would_get(folder: Path, written: Path) -> None:
    raw = (written / "issue.eml").read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    message = message_from_bytes(raw, policy=policy.SMTP)
    assert message["To"] == "reader@preview.invalid"
    assert message["From"] == "The Araks Courier <weekly@paper.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert not message.defects
    for kind, name in (("html", "issue.html"), ("plain", "issue.txt")):
        part = message.get_body((kind,))
        assert part is not None
        kept = (written / name).read_text(encoding="utf-8")
        assert part.get_content().replace("\r\n", "\n") == kept
        assert "XXREADER" not in kept
        assert "/unsubscribe/" in kept


def test_its_links_open_nothing(folder: Path, written: Path) -> None:
    message = message_from_bytes((written / "issue.eml").read_bytes(), policy=policy.SMTP)
    token = message["List-Unsubscribe"].split(">")[0].rpartition("/")[2]
    keyring = load_keyring(next((folder / "data").glob("*keys*.json")))
    assert token.split(".")[0] == keyring.signing_key
    with pytest.raises(TokenError):
        keyring.verify(Purpose.UNSUBSCRIBE, token)


def test_the_report_tells_sizes_and_findings(written: Path) -> None:
    report = json.loads((written / "preview.json").read_text(encoding="utf-8"))
    sizes = report["sizes"]
    assert sizes["html"] < sizes["html_encoded"] < sizes["message"]
    assert 2_000 < sizes["style"] < 16_384
    assert (report["newsletter"], report["slot"], report["state"]) == (
        "weekly", "2025-W32", "draft",
    )  # fmt: skip
    assert any(finding["key"] == "note" for finding in report["findings"])
    assert report["files"] == {
        "html": "out/issue.html", "text": "out/issue.txt", "message": "out/issue.eml",
        **{look.name: f"out/{look.name}.png" for look in LOOKS},
    }  # fmt: skip


def test_before_the_issue_is_sent_links_lead_straight_to_the_stories(written: Path) -> None:
    html = (written / "issue.html").read_text(encoding="utf-8")
    assert 'href="https://paper.example/0/?utm_source=newsletter' in html
    assert "/l/" not in html
    # The mail itself has our shorter ones.
    report = json.loads((written / "preview.json").read_text(encoding="utf-8"))
    assert report["sizes"]["html"] < len(html.encode())


def assert_sizes_are_of_the_files(folder: Path) -> None:
    sizes = json.loads((folder / "preview.json").read_text(encoding="utf-8"))["sizes"]
    for key, name in (("html", "issue.html"), ("text", "issue.txt"), ("message", "issue.eml")):
        assert sizes[key] == (folder / name).stat().st_size
    html_part = (folder / "issue.eml").read_bytes().partition(b"text/html")[2]
    wire = html_part.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--=_")[0]
    assert sizes["html_encoded"] == len(wire)
    html = (folder / "issue.html").read_bytes()
    assert quopri.decodestring(wire).replace(b"\r\n", b"\n") == html
    assert sizes["style"] == len("p{color:red}")


def test_the_pictures_show_each_look(written: Path) -> None:
    shots = {}
    for look in LOOKS:
        with Image.open(written / f"{look.name}.png") as image:
            assert image.format == "PNG"
            assert image.width == look.width * look.scale
            assert image.height > 600 * look.scale
            shots[look.name] = image.convert("RGB")
    ground = {name: image.getpixel((2, 2)) for name, image in shots.items()}
    light, dark = (0xF4, 0xEF, 0xE6), (0x17, 0x14, 0x12)
    assert ground["desktop"] == ground["images-off"] == light
    assert ground["dark"] == dark
    assert ground["no-styles"] == (255, 255, 255)
    # The lead's picture takes a good part of each page, where there are pictures.
    coloured = {name: share_of_colour(image) for name, image in shots.items()}
    assert coloured.pop("images-off") < 0.01
    assert min(coloured.values()) > 0.1, coloured


def share_of_colour(image: Image.Image) -> float:
    small = image.resize((70, max(1, image.height * 70 // image.width))).convert("HSV")
    saturations = small.getchannel("S").tobytes()
    return sum(value > 120 for value in saturations) / len(saturations)


def test_without_a_browser_a_sentence_says_what_brings_one(
    call: Call, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (folder / "bare").mkdir()
    (folder / "bare/dark.png").write_bytes(b"of an earlier preview")
    answer = preview(call, folder, "bare")
    assert answer.status == 0
    assert "apt-get install chromium-headless-shell" in answer.err
    assert sorted(path.name for path in (folder / "bare").iterdir()) == [
        "issue.eml", "issue.html", "issue.txt", "preview.json",
    ]  # fmt: skip
    assert answer.out.splitlines()[-1] == "bare/preview.json"
    quiet = preview(call, folder, "bare", "--no-screenshots")
    assert (quiet.status, quiet.err) == (0, "")


def test_a_browser_that_fails_is_told_of(
    call: Call, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'no usable sandbox' >&2\nexit 3\n")
    program.chmod(0o755)
    answer = preview(call, folder, "failed")
    assert answer.status == 1
    assert "Chromium made no picture: it ended. Its last words: no usable sandbox." in answer.err
    assert (folder / "failed/issue.eml").exists()
    report = json.loads((folder / "failed/preview.json").read_text(encoding="utf-8"))
    assert "no usable sandbox" in report["notes"][0]
    assert "desktop" not in report["files"]


def test_a_browser_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "_SECONDS", 0.3)
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    look = {"width": 300, "scale": 1, "phone": False, "dark": False}
    with (
        pytest.raises(RenderError, match="did not answer within"),
        open_chromium(str(program)) as browser,
    ):
        browser.picture("<p>" * 1_000_000, **look)  # type: ignore[arg-type]
    with (
        pytest.raises(RenderError, match="can't be started"),
        open_chromium(str(tmp_path / "nothing")),
    ):
        raise AssertionError


def test_of_a_sent_issue_it_is_what_was_sent(call: Call, folder: Path) -> None:
    database = Database.open(f"sqlite:///{folder}/data/newsletter.sqlite")
    with database.write() as tx:
        issue = tx.issues.get("weekly", "2025-W32")
        assert issue is not None
        mailing = Mailing(
            public_id="sentbefore", kind=MailingKind.ISSUE, subject="As it was",
            html="<!DOCTYPE html><html><head><style>p{color:red}</style></head><body><p>as sent</p>"
            '<a href="https://x.example/unsubscribe/XXREADERUNSUBSCRIBEXX">leave</a></body></html>',
            text="as sent, https://x.example/unsubscribe/XXREADERUNSUBSCRIBEXX\n",
            from_name="The Araks Courier", from_address="weekly@paper.example",
            base_url="https://x.example", created_at=issue.send_at, language="en",
            newsletter_id="n1", token_key="z", dkim_selectors=("gone",),
        )  # fmt: skip
        tx.mailings.create(mailing, key="sent", issue_id=issue.public_id, newsletter="weekly")
        assert tx.issues.move(issue.public_id, set(IssueState), IssueState.PAUSED, "test",
            issue.send_at)  # fmt: skip
    try:
        answer = preview(call, folder, "sent", "--no-screenshots")
        assert answer.status == 0, answer.err
        html = (folder / "sent/issue.html").read_text(encoding="utf-8")
        assert "<p>as sent</p>" in html
        assert "/unsubscribe/z." in html
        assert b"Subject: As it was\r\n" in (folder / "sent/issue.eml").read_bytes()
        assert_sizes_are_of_the_files(folder / "sent")
    finally:
        with database.write() as tx:
            tx.issues.move(issue.public_id, set(IssueState), IssueState.DRAFT, "test",
                issue.send_at)  # fmt: skip
        database.close()


def test_a_folder_that_can_not_be_written(call: Call, folder: Path) -> None:
    (folder / "file").write_text("")
    answer = preview(call, folder, "file", "--no-screenshots")
    assert answer.status == 2
    assert "--out file: can't be written" in answer.err
