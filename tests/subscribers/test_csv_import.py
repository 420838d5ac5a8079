import csv
import io
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.errors import UsageError
from newsletter.subscribers.csv_cells import guard_cell, unguard_cell
from newsletter.subscribers.csv_export import write_subscribers
from newsletter.subscribers.csv_import import (
    Addition,
    open_subscriber_file,
)
from newsletter.subscribers.csv_source import ImportLimits, RefusedRow
from newsletter.subscribers.departments import join_departments, parse_departments
from newsletter.subscribers.list_formats import ImportStatus
from newsletter.subscribers.model import (
    Consent,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from newsletter.subscribers.suppressions_csv import SuppressedRow, open_suppression_file

NOW = datetime(2025, 8, 5, 11, tzinfo=UTC)


def read(data: bytes | str, **limits: int) -> list[Addition | RefusedRow]:
    raw = data.encode() if isinstance(data, str) else data
    return list(open_subscriber_file(raw, ImportLimits(**limits)).rows())


def addresses(data: bytes | str) -> list[str]:
    return [row.address if isinstance(row, Addition) else row.sentence for row in read(data)]


def test_the_columns_are_found_by_their_names() -> None:
    rows = read(
        "Signed up,E-Mail Address,First Name,Last Name,Language,Status\n"
        "2025,Lilit@reader.example,Lilit,Hakobyan,hy,Subscribed\n"
        "2025,ani@reader.example,,Petrosyan,,cleaned\n"
    )
    assert rows == [
        Addition(2, "lilit@reader.example", "Lilit Hakobyan", "hy", ImportStatus.ACTIVE),
        Addition(3, "ani@reader.example", "Petrosyan", None, ImportStatus.BOUNCED),
    ]


@pytest.mark.parametrize(
    ("cell", "timezone"),
    [
        ("Asia/Yerevan", "Asia/Yerevan"),
        (" America/Los_Angeles ", "America/Los_Angeles"),
        ("", None),
        ("GMT+4", "refused"),
        ("../../etc/passwd", "refused"),
        ("Asia", "refused"),
        ("x" * 1900, "refused"),
    ],
)
def test_a_time_zone_is_a_name_of_the_iana_database(cell: str, timezone: str | None) -> None:
    (row,) = read(f"email,Time Zone\nlilit@reader.example,{cell}\n")
    if timezone == "refused":
        assert row == RefusedRow(2, "the time zone is no name such as Asia/Yerevan")
    else:
        assert row == Addition(2, "lilit@reader.example", "", None, ImportStatus.ACTIVE, timezone)


@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
def test_departments_are_parted_by_semicolons(delimiter: str) -> None:
    cells = (("email", "Departments"), ("ani@reader.example", "Sports; arts ;;Arts;City  Hall"))
    (row,) = read("\n".join(map(delimiter.join, cells)))
    assert isinstance(row, Addition)
    assert row.departments == ("arts", "City Hall", "Sports")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (";".join(f"d{n}" for n in range(200)), "more than 500 characters"),
        ("x" * 101, "more than 100 characters"),
        ("Arts\u202e", "can't be printed"),
    ],
)
def test_what_is_no_choice_of_departments_is_refused(cell: str, words: str) -> None:
    (row,) = read(f"email,departments\nani@reader.example,{cell}\n")
    assert isinstance(row, RefusedRow)
    assert words in row.sentence


@given(st.text())
def test_a_choice_of_departments_comes_back_the_same(text: str) -> None:
    try:
        names = parse_departments(text)
    except UsageError:
        return
    assert parse_departments(join_departments(names)) == names
    assert parse_departments(join_departments(tuple(reversed(names)))) == names
    assert len({name.casefold() for name in names}) == len(names)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_line_ends(delimiter: str, encoding: str, ending: str) -> None:
    text = ending.join(
        [
            delimiter.join(["name", "email"]),
            delimiter.join(["Լիլիթ", "lilit@reader.example"]),
            delimiter.join(['"A, B; C"', "ani@reader.example"]),
            "",
        ]
    )
    first, second = read(text.encode(encoding))
    assert isinstance(first, Addition)
    assert isinstance(second, Addition)
    assert (first.name, first.address) == ("Լիլիթ", "lilit@reader.example")
    assert (second.name, second.address) == ("A, B; C", "ani@reader.example")


def test_what_windows_calls_plain_csv_is_read() -> None:
    (row,) = read("email;name\nrene@reader.example;René – Ångström\n".encode("cp1252"))
    assert isinstance(row, Addition)
    assert row.name == "René – Ångström"


def test_a_list_of_addresses_needs_no_header() -> None:
    assert addresses("lilit@reader.example\nani@reader.example") == [
        "lilit@reader.example",
        "ani@reader.example",
    ]


def test_a_bad_row_is_told_with_its_line_and_stops_no_other() -> None:
    rows = read(
        'email,name,status,language\n"lilit@reader.example","two\nlines",,\n'
        "a@@b,,,\n\n,Ani,,\nani@reader.example,Ani,asleep,\nani@reader.example,,,e n\n"
        "ani@reader.example\n"
    )
    assert [row.line for row in rows] == [2, 4, 6, 7, 8, 9]
    assert [row.sentence if isinstance(row, RefusedRow) else "" for row in rows] == [
        "the name holds characters that no name has; the row goes on to line 3",
        rows[1].sentence,  # type: ignore[union-attr]
        "an e-mail address is missing",
        'the status "asleep" is not known; write active, pending, paused, unsubscribed or bounced',
        "the language is no tag such as en or hy",
        "",
    ]
    assert rows[1].sentence.startswith('"a@@b" is no e-mail address: ')  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no column of addresses"),
        (b"\n\n", "no column of addresses"),
        (b"name,town\nLilit,Gyumri\n", "no column of addresses"),
        (b"<!doctype html><html>", "no column of addresses"),
        (bytes(range(256)) * 20, "no column of addresses"),
        (b"email," + b"x," * 300, "more than 200 columns"),
    ],
)
def test_what_is_no_list_of_subscribers_is_refused_whole(data: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_subscriber_file(data)


def test_limits_of_size_rows_and_cells() -> None:
    two = "email,name\nlilit@reader.example,Lilit\nani@reader.example,Ani\n"
    with pytest.raises(UsageError, match="more than 0 MB"):
        read(two, file_bytes=20)
    assert len(read(two, rows=2)) == 2
    with pytest.raises(UsageError, match="more than 2 rows"):
        read(two + "eva@reader.example,\nmari@reader.example,\n", rows=2)
    long, short = read(f"email,note\na@b.example,{'x' * 30}\nb@b.example,x\n", cell_characters=29)
    assert isinstance(long, RefusedRow)
    assert "a cell has more than 29 characters" in long.sentence
    assert isinstance(short, Addition)


def test_a_cell_of_any_length_is_refused_alone() -> None:
    long = "x" * 140_000
    rows = read(f'email,name\na@b.example,A\nb@b.example,"{long}"\nc@b.example,C\nd@b.example,D\n')
    assert [row.line for row in rows] == [2, 3, 4, 5]
    (refused,) = [row for row in rows if isinstance(row, RefusedRow)]
    assert refused == RefusedRow(3, "a cell has more than 2000 characters")


@pytest.mark.parametrize("readers", [3, 60_000])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_quotation_mark_that_is_not_closed_costs_its_own_line(readers: int, ending: str) -> None:
    lines = ["email,name", "a@b.example,A", 'no@b.example,"Never closed']
    rows = read(ending.join([*lines, *(f"r{n}@b.example,Reader" for n in range(readers))]))
    refused = [row for row in rows if isinstance(row, RefusedRow)]
    assert [row.line for row in refused] == [3]
    assert "a quotation mark is not closed" in refused[0].sentence
    assert refused[0].cells == ('no@b.example,"Never closed',)
    assert [row.line for row in rows] == list(range(2, readers + 4))
    assert rows[-1] == Addition(
        readers + 3, f"r{readers - 1}@b.example", "Reader", None, ImportStatus.ACTIVE
    )


def test_a_line_without_end_costs_itself_alone() -> None:
    rows = read("email,name\na@b.example," + "x," * 1_500_000 + "\nc@b.example,C\n")
    assert rows == [
        RefusedRow(2, "the line has more than 1,000,000 characters"),
        Addition(3, "c@b.example", "C", None, ImportStatus.ACTIVE),
    ]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for prefix in (b"", b"email,name\n", b"\xff\xfe"):
        try:
            rows = read(prefix + data)
        except UsageError:
            continue
        for row in rows:
            assert row.line >= 1
        try:
            listed = open_suppression_file(prefix + data)
        except UsageError:
            continue
        for one in listed.rows(SuppressionReason.LEGAL, "mark"):
            assert one.line >= 1


def _written(at: datetime, offset: timezone) -> str:
    return at.replace(tzinfo=offset).isoformat()


@given(
    st.builds(
        _written,
        st.datetimes(),
        st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
@example("9999-12-31T23:59:59-14:00")
@example("0001-01-01T00:00:00+01:00")
def test_any_time_of_consent_is_understood_or_none(at: str) -> None:
    (row,) = read(
        "address,newsletter,consent_how,consent_at,consent_wording\n"
        f"ani@reader.example,weekly,form,{at},agreed\n"
    )
    assert isinstance(row, Addition)
    assert row.consent_at is None or row.consent_at == datetime.fromisoformat(at)
    file = open_suppression_file(f"email,at\nani@reader.example,{at}\n".encode())
    (listed,) = file.rows(SuppressionReason.LEGAL, "mark")
    assert isinstance(listed, SuppressedRow)
    assert listed.at == row.consent_at
    assert listed.at is None or listed.at.tzinfo is UTC


@given(st.text(max_size=20) | st.text(alphabet=";|\t\n=@'＋a", max_size=12))
@example("Ann;=1+1;x")
def test_a_guarded_cell_runs_nowhere_and_comes_back(text: str) -> None:
    cell = guard_cell(text)
    # Also where another separator, or the end of a line, is taken to part it.
    assert cell[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert not any(
        part[:1] in tuple("=+-@＝＋－＠") for part in re.split(r"[;|\t\r\n]", cell) if part
    )
    assert unguard_cell(cell) == text


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("+1@reader.example", "=HYPERLINK(1)"),
        ("-x@reader.example", "@SUM(A1)"),
        ("'x@reader.example", "'+1"),
        ("lilit@reader.example", "Hakobyan, Lilit"),
    ],
)
def test_an_export_is_harmless_and_reads_back(address: str, name: str) -> None:
    subscription = Subscription(
        Subscriber("s1", address, NOW, name, "hy", "Asia/Yerevan", {"tags": ["=1", "a,b"]}),
        "weekly",
        SubscriptionState.UNSUBSCRIBED,
        Consent("import", "=cmd|' /C calc'!A0", NOW, "-placement"),
        NOW,
        ("=Arts", "Sports"),
    )
    stream = io.StringIO(newline="")
    assert write_subscribers([subscription], stream) == 1
    for cell in list(csv.reader(io.StringIO(stream.getvalue())))[1]:
        assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert read(stream.getvalue()) == [
        Addition(
            *(2, address, name, "hy", ImportStatus.UNSUBSCRIBED, "Asia/Yerevan"),
            *(("=Arts", "Sports"), {"tags": ["=1", "a,b"]}, NOW, "=cmd|' /C calc'!A0"),
        )
    ]
