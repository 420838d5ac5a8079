from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.message import MessageTemplate
from newsletter.demo.outbox_store import count_messages, list_messages, read_message
from newsletter.errors import NotFound
from tests.delivery.samples import ISSUE, KEYRING, NOW, READER, issue


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    folder = tmp_path / "outbox"
    folder.mkdir()
    template = MessageTemplate.of(issue(from_name="Օրաթերթ"), KEYRING)
    for number, name in enumerate(("lilit", "ani", "aram"), start=1):
        reader = READER._replace(address=f"{name}@reader.example")
        (folder / f"{number:07d}.eml").write_bytes(template.build(reader))
    (folder / "envelopes.jsonl").write_text(
        '{"name": "0000001.eml", "from": "b@paper.example", "to": ["other@reader.example"]}\n{"na'
    )
    (tmp_path / "secret.eml").write_text("Subject: secret\n\nx")
    (folder / "link.eml").symlink_to(tmp_path / "secret.eml")
    (folder / ".0000004.eml.part").write_text("half")
    return folder


def test_the_list_tells_who_what_and_when(outbox: Path) -> None:
    first, second, _ = list_messages(outbox)
    assert (first.name, first.subject, first.from_) == (
        "0000001.eml",
        "Top Stories · Week 32",
        "Օրաթերթ <weekly@paper.example>",
    )
    assert (first.to, second.to) == ("other@reader.example", "ani@reader.example")
    assert first.date == NOW
    assert first.size == (outbox / first.name).stat().st_size
    assert count_messages(outbox) == 3


def test_the_list_can_be_had_in_pages(outbox: Path) -> None:
    assert [mail.name for mail in list_messages(outbox, skip=1, limit=1)] == ["0000002.eml"]
    assert list_messages(outbox / "missing") == []


def test_an_opened_mail_shows_its_parts(outbox: Path) -> None:
    opened = read_message(outbox, "0000002.eml")
    assert ("Subject", "Top Stories · Week 32") in opened.headers
    assert ("To", "ani@reader.example") in opened.headers
    assert opened.html.startswith("<p>Բարեւ.</p>")
    assert opened.text.startswith("Stories.")
    assert "XXREADER" not in opened.html + opened.text
    assert opened.raw == (outbox / "0000002.eml").read_bytes()
    assert ISSUE.subject in dict(opened.headers).values()


@pytest.mark.parametrize(
    "name",
    ["../secret.eml", "..", "", ".", "0000009.eml", "/etc/passwd", "link.eml", "envelopes.jsonl",
     "0000001.eml\n", "0000001.eml/", ".0000004.eml.part", "..\\secret.eml", "a\0.eml"],
)  # fmt: skip
def test_no_name_leads_out_of_the_outbox(outbox: Path, name: str) -> None:
    with pytest.raises(NotFound, match="holds no message"):
        read_message(outbox, name)


@given(st.binary(max_size=400))
def test_whatever_arrived_can_be_listed_and_opened(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "1.eml").write_bytes(raw)
    (mail,) = list_messages(folder)
    assert mail.size == len(read_message(folder, mail.name).raw)
