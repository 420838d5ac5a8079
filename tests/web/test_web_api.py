"""The API as a program uses it."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

import altcha
import pytest
from httpx2 import Response

from newsletter.subscribers.model import SuppressionReason
from tests.web.site import Site

LILIT = "lilit@reader.example"
PATH = "/api/v1/subscriptions"


def solve(site: Site, newsletter: str = "weekly") -> str:
    """A puzzle of the site's, solved as ALTCHA's own library does."""
    puzzle = site.client.get(f"/api/v1/newsletters/{newsletter}/puzzle").json()
    challenge = altcha.Challenge.from_dict(puzzle)
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


def ask(site: Site, address: str = LILIT, **fields: Any) -> Response:
    body = {"newsletter": "weekly", "address": address, **fields}
    return site.client.post(PATH, json=body)


def error_of(answer: Response) -> Mapping[str, Any]:
    error: Mapping[str, Any] = answer.json()["error"]
    assert set(error) == {"code", "sentence", "field", "suggestion"}
    return error


def test_a_program_signs_a_reader_up(site: Site) -> None:
    answer = ask(
        site,
        "Lilit@Reader.example",
        placement="footer",
        page="https://anna:secret@paper.example/bread/?utm=1#top",
        language="hy",
        proof=solve(site),
    )
    assert answer.status_code == 202
    assert answer.json()["status"] == "check_inbox"
    ((delivery, mailing),) = site.outgoing()
    assert (delivery.address, mailing.language) == (LILIT, "hy")
    subscription = site.subscription(LILIT)
    assert subscription is not None
    consent = subscription.consent
    assert (consent.how, consent.placement, consent.language) == ("api", "footer", "hy")
    assert consent.page == "https://paper.example/bread/"
    assert consent.wording.startswith("Ուղարկեք ինձ")
    assert len(consent.wording_version) == 12
    # A keyed hash, and of the visitor's address.
    assert consent.network == site.keyring.hash_network("testclient")
    assert subscription.subscriber.language == "hy"


def test_a_program_may_ask_for_the_best_of_each_month(site: Site) -> None:
    assert ask(site, cadence="monthly", proof=solve(site)).status_code == 202
    subscription = site.subscription(LILIT)
    assert subscription is not None
    assert (subscription.state, subscription.cadence) == ("pending", "monthly")
    assert ask(site, "x@reader.example", cadence="often").status_code == 422
    # Asked again by somebody who does not say, it stays; once it is confirmed nobody's
    # form changes it.
    site.clock.sleep(2 * 86_400)
    ask(site, proof=solve(site))
    put = site.subscription(LILIT)
    assert put is not None
    assert put.cadence == "monthly"
    site.put("ani@reader.example")
    ask(site, "ani@reader.example", cadence="monthly", proof=solve(site))
    ani = site.subscription("ani@reader.example")
    assert ani is not None
    assert ani.cadence == "each"


def test_the_answer_tells_nobody_who_is_on_the_list(site: Site) -> None:
    for state in ("pending", "active", "paused", "unsubscribed"):
        site.put(f"{state}@reader.example", state)
    with site.database.write() as tx:
        legal = site.keyring.hash_address("legal@reader.example")
        tx.subscribers.suppress(legal, SuppressionReason.LEGAL, site.clock.now(), "test")
    people = ("unknown", "pending", "active", "paused", "unsubscribed", "legal")
    answers = [ask(site, f"{person}@reader.example") for person in people]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (202, answers[0].text),
    }


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"address": ""}, 422, "no_address", "address"),
        ({"address": "lilit@reader"}, 422, "no_address", "address"),
        ({"address": "a@b.example\r\nBcc: c@d.example"}, 422, "no_address", "address"),
        ({"name": "Lilit\0"}, 422, "no_name", "name"),
        ({"name": ["Lilit"]}, 422, "invalid", "name"),
        ({"newsletter": "daily"}, 404, "not_found", "newsletter"),
        ({"colour": "red"}, 422, "invalid", "colour"),
        ({"page": "x" * 3000}, 422, "invalid", "page"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    site: Site, fields: Mapping[str, Any], status: int, code: str, field: str
) -> None:
    before = site.dump()
    answer = ask(site, **{"address": LILIT, **fields})
    assert answer.status_code == status
    error = error_of(answer)
    assert (error["code"], error["field"]) == (code, field)
    assert error["sentence"]
    assert site.dump() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"[]", 422),
        (b"null", 422),
        (b"\xff\xfe", 400),
        (b'{"newsletter": "weekly", "address": "\\ud800@reader.example"}', 422),
        (b'{"a":' * 5000, 400),
        (b" " * 40_000, 413),
    ],
)
def test_a_body_that_is_none_gets_a_sentence(site: Site, body: bytes, status: int) -> None:
    answer = site.client.post(PATH, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert error_of(answer)["sentence"]


@pytest.mark.parametrize(
    ("body", "english", "armenian"),
    [
        ("{", "The body is no JSON that can be read.", "JSON"),
        ("[]", "The body must be a JSON object, sent as application/json.", "JSON"),
        ("", "The body must be a JSON object, sent as application/json.", "JSON"),
        ('{"address": "a@b.example"}', "“newsletter” is missing.", "newsletter"),
        ({"colour": "red"}, "There is no field “colour”: leave it out.", "colour"),
        ({"name": 3}, "“name” must be text.", "name"),
        ({"name": "\ud800"}, "“name” holds half a character.", "name"),
        ({"placement": "x" * 61}, "“placement” may have at most 60 characters.", "60"),
        ({"sure": "perhaps"}, "“sure” must be true or false.", "sure"),
        ({"sure": []}, "“sure” must be true or false.", "sure"),
        ({"cadence": "often"}, "“cadence” must be one of these: each, monthly.", "each, monthly"),
        ({"source": "bot"}, "“source” must be one of these: api, embed.", "api, embed"),
        ({"newsletter": "nothing"}, "There is no such newsletter.", ""),
    ],
)
def test_what_is_wrong_is_told_in_our_words_and_the_language_asked_for(
    site: Site, body: str | dict[str, Any], english: str, armenian: str
) -> None:
    for language, expected in (("en", english), ("hy", armenian)):
        wish = {"newsletter": "weekly", "address": LILIT, "language": language}
        sent = body if isinstance(body, str) else json.dumps({**wish, **body})
        answer = site.client.post(
            f"{PATH}?language={language}" if isinstance(body, str) else PATH,
            content=sent,
            headers={"content-type": "application/json"},
        )
        assert answer.status_code in (400, 404, 422)
        sentence = error_of(answer)["sentence"]
        if language == "en":
            assert sentence == expected
        else:
            assert expected in sentence
            assert re.search("[ա-ֆ]{3}", sentence), sentence


def test_another_method_is_refused_as_the_document_says(site: Site) -> None:
    answer = site.client.put(PATH, json={})
    assert answer.status_code == 405
    assert error_of(answer)["sentence"] == "This address does not take PUT."
    described = site.client.get("/api/v1/openapi.json").json()["paths"]
    for path in described.values():
        for operation in path.values():
            assert "405" in operation["responses"]


def test_other_ways_get_a_sentence_too(site: Site) -> None:
    for method, path, status in (
        ("GET", PATH, 405),
        ("DELETE", PATH, 405),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/", 404),
        ("GET", "/api/v1/newsletters/a%0Ab/form", 404),
        ("GET", "/api/v1/newsletters/daily/form", 404),
        ("GET", "/api/v1/newsletters/daily/puzzle", 404),
    ):
        answer = site.client.request(method, path)
        assert answer.status_code == status, path
        assert error_of(answer)["sentence"], path


def test_a_slip_is_offered_for_correction_and_may_be_meant(site: Site) -> None:
    answer = ask(site, "lilit@gmial.com")
    assert answer.status_code == 422
    error = error_of(answer)
    assert (error["code"], error["suggestion"]) == ("slip", "lilit@gmail.com")
    assert site.state("lilit@gmial.com") == "unknown"
    assert ask(site, "lilit@gmial.com", sure=True).status_code == 202
    assert site.state("lilit@gmial.com") == "pending"


def test_a_solved_puzzle_counts_once_for_its_newsletter_and_an_hour(site: Site) -> None:
    def is_sent_at_once(address: str, proof: str) -> bool:
        # The slow lane is taken by the one before.
        assert ask(site, f"before-{address}").status_code == 202
        assert ask(site, address, proof=proof).status_code == 202
        return address in {delivery.address for delivery, _ in site.outgoing()}

    proof = solve(site)
    assert is_sent_at_once("first@reader.example", proof)
    assert not is_sent_at_once("again@reader.example", proof)
    assert not is_sent_at_once("other@reader.example", solve(site, "kitchen"))
    document = json.loads(base64.b64decode(solve(site)))
    document["solution"]["counter"] += 1
    wrong = base64.b64encode(json.dumps(document).encode()).decode()
    assert not is_sent_at_once("wrong@reader.example", wrong)
    old = solve(site)
    site.clock.sleep(3601)
    assert not is_sent_at_once("late@reader.example", old)
    for junk in ("x", "é", base64.b64encode(b"[]").decode(), base64.b64encode(b'"a"').decode()):
        assert not is_sent_at_once(f"junk{len(junk)}@reader.example", junk)


def test_other_sites_may_ask_without_cookies(site: Site) -> None:
    asked = site.client.options(
        PATH,
        headers={
            "origin": "https://paper.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        },
    )
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "*"
    for answer in (
        asked,
        site.client.get("/api/v1/newsletters/weekly/form", headers={"origin": "https://a.example"}),
        site.client.post(PATH, json={}, headers={"origin": "https://a.example"}),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers


def test_a_forms_words_come_by_placement_and_language(site: Site) -> None:
    path = "/api/v1/newsletters/weekly/form"
    words = site.client.get(path, params={"placement": "article"})
    assert words.headers["cache-control"] == "public, max-age=300"
    assert words.json()["prompt"] == "Get the Courier in your inbox:"
    footer = site.client.get(path, params={"placement": "footer", "language": "en-GB"}).json()
    assert footer["prompt"] == "Get the Courier Weekly in your inbox:"
    armenian = site.client.get(path, params={"language": "hy-AM"}).json()
    assert (armenian["language"], armenian["button"]) == ("hy", "Բաժանորդագրվել")
    assert armenian["prompt"] == "Ստացեք «the Courier»-ը ձեր փոստարկղում՝"


def test_the_document_describes_what_is_there(site: Site) -> None:
    document = site.client.get("/api/v1/openapi.json").json()
    assert set(document["paths"]) == {
        "/subscriptions",
        "/newsletters/{newsletter}/form",
        "/newsletters/{newsletter}/puzzle",
        "/readers",
        "/readers/count",
    }
    assert document["servers"] == [{"url": "https://news.paper.example/api/v1"}]
