"""The exports of other services, each as its service writes it, beside what they must become."""

from datetime import UTC, datetime

import pytest

from newsletter.errors import UsageError
from newsletter.subscribers.attributes import attribute_name, parse_attributes, parse_tags
from newsletter.subscribers.csv_import import Addition, open_subscriber_file
from newsletter.subscribers.csv_source import RefusedRow
from newsletter.subscribers.list_formats import ImportStatus

ACTIVE, UNSUBSCRIBED = ImportStatus.ACTIVE, ImportStatus.UNSUBSCRIBED
MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,'
    "CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,{more}LAST_CHANGED,LEID,EUID,"
    "NOTES,TAGS\n"
    'ani@reader.example,Ani,Petrosyan,2,"2015-03-16 14:40:47",203.0.113.9,"2015-03-16 14:45:00",'
    '203.0.113.9,40.1,44.5,4,4,Mars/Base,AM,ER,{cells}"2015-03-16 14:40:47",17,ab12,,'
    '"""VIP"",""Arts, film"""\n'
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read(text: str, *attributes: str) -> list[Addition | RefusedRow]:
    return list(open_subscriber_file(text.encode(), attributes=attributes).rows())


def told(text: str) -> list[tuple[str, ImportStatus, datetime | None, object]]:
    rows = [row for row in read(text) if isinstance(row, Addition)]
    return [
        (row.address.partition("@")[0], row.status, row.consent_at, row.attributes) for row in rows
    ]


@pytest.mark.parametrize(
    ("more", "cells", "status"),
    [
        ("", "", ACTIVE),
        (
            "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,",
            '"2016-01-02 03:04:05",Weekly,9,NORMAL,,',
            UNSUBSCRIBED,
        ),
        ("UNSUB_TIME,", ",", UNSUBSCRIBED),
        (
            "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,",
            '"2016-01-02 03:04:05",Weekly,9,',
            ImportStatus.BOUNCED,
        ),
    ],
)
def test_mailchimp_has_one_file_a_status(more: str, cells: str, status: ImportStatus) -> None:
    text = MAILCHIMP.format(more=more, cells=cells)
    assert open_subscriber_file(text.encode()).format == "Mailchimp"
    (row,) = read(text)
    assert row == Addition(
        *(2, "ani@reader.example", "Ani Petrosyan", None, status, None, ()),
        *({"tags": ["VIP", "Arts, film"]}, at("2015-03-16T14:45:00")),
    )


def test_listmonk() -> None:
    text = (
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        '5b,ani@reader.example,Ani,"{""city"": ""Gyumri"", ""n"": 3}",enabled,'
        "2025-01-02 03:04:05.678901 +0000 UTC,x\n"
        "5c,eva@reader.example,,{},disabled,2025-01-02 03:04:05 +0400 +04,x\n"
        "5d,mari@reader.example,,,blocklisted,,x\n"
        "5e,lost@reader.example,,[1],enabled,,x\n"
        "5f,odd@reader.example,,,asleep,,x\n"
    )
    assert told(text) == [
        ("ani", ACTIVE, at("2025-01-02T03:04:05.678901"), {"city": "Gyumri", "n": 3}),
        ("eva", UNSUBSCRIBED, at("2025-01-01T23:04:05"), None),
        ("mari", ImportStatus.BLOCKED, None, None),
    ]
    refused = [row.sentence for row in read(text) if isinstance(row, RefusedRow)]
    assert refused == [
        "the attributes are no JSON object",
        'the status "asleep" is not known; write what listmonk writes',
    ]


def test_ghost() -> None:
    text = (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,"
        "deleted_at,labels,tiers\n"
        "1,ani@reader.example,Ani,,true,,,2024-01-15T10:00:00.000Z,,"
        '"founding,arts",\n'
        "2,eva@reader.example,,,false,,,2024-01-15T10:00:00.000Z,,,\n"
        "3,mari@reader.example,,,true,,,2024-01-15T10:00:00.000Z,2024-02-01T10:00:00.000Z,,\n"
    )
    since = at("2024-01-15T10:00:00")
    assert told(text) == [
        ("ani", ACTIVE, since, {"labels": ["founding", "arts"]}),
        ("eva", UNSUBSCRIBED, since, None),
        ("mari", UNSUBSCRIBED, since, None),
    ]


def test_substack() -> None:
    text = (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "ani@reader.example,false,,other,false,2025-01-01T00:00:00.000Z,\n"
        "eva@reader.example,true,2027-01-01,yearly,true,2025-06-01,\n"
    )
    assert told(text) == [
        ("ani", ACTIVE, at("2025-01-01"), {"plan": ["other"]}),
        ("eva", UNSUBSCRIBED, at("2025-06-01"), {"plan": ["yearly"]}),
    ]


def test_mailpoet_escapes_quotation_marks_its_own_way() -> None:
    text = (
        '"Email","First name","Last name","Subscription IP","Subscription time",'
        '"Confirmation time","Confirmation IP","List status","Global status","List"\n'
        '"ani@reader.example","Ani \\"A\\"","Petrosyan","203.0.113.9","2020-01-01 00:00:00",'
        '"2020-01-02 00:00:00","203.0.113.9","subscribed","inactive","Weekly"\n'
        '"eva@reader.example","","","","2020-01-01 00:00:00","","","subscribed","unsubscribed",'
        '"Weekly"\n'
        '"mari@reader.example","","","","","","","unconfirmed","unconfirmed","Weekly"\n'
        '"nare@reader.example","","","","","","","subscribed","bounced","Weekly"\n'
    )
    assert told(text) == [
        ("ani", ACTIVE, at("2020-01-02"), {"list": ["Weekly"]}),
        ("eva", UNSUBSCRIBED, at("2020-01-01"), {"list": ["Weekly"]}),
        ("mari", ImportStatus.PENDING, None, {"list": ["Weekly"]}),
        ("nare", ImportStatus.BOUNCED, None, {"list": ["Weekly"]}),
    ]
    (first, *_) = read(text)
    assert isinstance(first, Addition)
    assert first.name == 'Ani "A" Petrosyan'


def test_network_addresses_of_readers_are_never_taken() -> None:
    file = open_subscriber_file(MAILCHIMP.format(more="", cells="").encode(), attributes=["*"])
    (row,) = file.rows()
    assert isinstance(row, Addition)
    assert row.attributes is not None
    assert "203.0.113.9" not in row.attributes.values()
    assert {"cc", "region", "member_rating", "tags"} <= row.attributes.keys()


@pytest.mark.parametrize(
    "text",
    [
        *('{"a": NaN}', '{"a": 1e999}', '{"a": "\\u0000"}', '{"a": "\\ud800"}', "[1]", "{", '"a"'),
        '{"a": ' + "[" * 900 + "]" * 900 + "}" * 5,
        "{" + ",".join(f'"k{n}": 1' for n in range(60)) + "}",
        '{"a": "' + "x" * 9_000 + '"}',
    ],
)
def test_what_no_database_holds_is_no_attribute(text: str) -> None:
    with pytest.raises(UsageError):
        parse_attributes(text)


def test_names_and_tags() -> None:
    assert attribute_name(" MEMBER_RATING ") == attribute_name("Member rating") == "member_rating"
    assert attribute_name("Քաղաք (home)") == "քաղաք_home"
    assert parse_tags('"A, b", C,, C') == ["A, b", "C"]
    assert parse_tags(" ") == []
