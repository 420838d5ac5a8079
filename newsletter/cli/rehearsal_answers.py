"""How `newsletter issue rehearse` answers: to people, and to machines."""

from collections.abc import Iterator
from itertools import islice

from newsletter.cli.output import print_json_with_rows, print_rows
from newsletter.delivery.estimate import Estimate
from newsletter.delivery.rehearsal import Unmailable
from newsletter.workflows.rehearsal_document import rehearsal_document
from newsletter.workflows.rehearse import Rehearsal

_SHOWN_DOMAINS = 15
_SHOWN_READERS = 50
_SHOWN_DAYS = 14
_UNITS = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def write_rehearsal(rehearsal: Rehearsal) -> None:
    """What was found as one document, with each reader who can't be mailed."""
    rows = (
        {
            "address": one.address,
            "recipient": one.recipient_id,
            "reason": one.reason,
            "sentence": one.sentence,
        }
        for one in rehearsal.unmailable()
    )
    print_json_with_rows(rehearsal_document(rehearsal), "unmailable", rows)


def print_rehearsal(rehearsal: Rehearsal) -> None:
    """What was found, for a person."""
    print(_headline(rehearsal))
    for line in (*_figures(rehearsal), *_timing(rehearsal)):
        print(line)
    _print_variants(rehearsal)
    _print_days(rehearsal.estimate)
    _print_domains(rehearsal)
    _print_unmailable(rehearsal)
    for finding in rehearsal.findings:
        print(f"{finding.level}: {finding.told}")


def in_words(seconds: float) -> str:
    """A length of time in its two largest units: ``2 h 46 min``."""
    left = round(seconds)
    words: list[str] = []
    for name, length in _UNITS:
        count, left = divmod(left, length)
        if count or words:
            plural = "s" if name == "day" and count != 1 else ""
            words.append(f"{count} {name}{plural}" if count else "")
        if len(words) == 2:
            break
    return " ".join(filter(None, words)) or "less than a second"


def _headline(rehearsal: Rehearsal) -> str:
    whole = f"{rehearsal.rehearsed:,} readers"
    if rehearsal.limit is not None:
        whole = f"a sample of {rehearsal.rehearsed:,} of {rehearsal.audience:,} readers"
    broken = "" if rehearsal.complete else ", before it was broken off"
    return (
        f"rehearsal of issue {rehearsal.issue.slot}, which is {rehearsal.issue.state}: of {whole} "
        f"{rehearsal.accepted:,} would get it and {rehearsal.failed:,} would not{broken}; "
        "nothing was sent"
    )


def _figures(rehearsal: Rehearsal) -> Iterator[str]:
    signed = "signed" if rehearsal.signed else "not signed"
    yield (
        f"pace: {rehearsal.per_second:,.0f} messages a second are written here, {signed} "
        f"({rehearsal.rehearsed:,} in {rehearsal.seconds:,.1f} s)"
    )
    if sizes := rehearsal.sizes:
        yield (
            f"size: {sizes.smallest:,} to {sizes.largest:,} octets on the wire; half have at most "
            f"{sizes.median:,}, 95 % at most {sizes.p95:,}"
        )
    if rehearsal.utf8:
        yield f"SMTPUTF8: {rehearsal.utf8:,} of the addresses need a relay that takes it"


def _timing(rehearsal: Rehearsal) -> Iterator[str]:
    estimate = rehearsal.estimate
    readers = f"{rehearsal.audience:,} readers"
    if estimate.seconds is None or estimate.ends_at is None:
        yield f"time: more than ten years for {readers}, by these limits:"
    else:
        yield (
            f"time: {in_words(estimate.seconds)} for {readers}, from "
            f"{estimate.starts_at:%Y-%m-%d %H:%M} to {estimate.ends_at:%Y-%m-%d %H:%M} UTC, "
            "if no server puts us off:"
        )
    for sentence in estimate.basis:
        yield f"  {sentence}"
    if len(rehearsal.waves) > 1:
        last = rehearsal.waves[-1]
        yield (
            f"waves: {len(rehearsal.waves)} of them; the last, “{last.name}”, begins on "
            f"{last.starts_at:%Y-%m-%d %H:%M} UTC at the earliest, which the time leaves out"
        )


def _print_variants(rehearsal: Rehearsal) -> None:
    if len(rehearsal.variants) < 2:
        return
    rows = [(_printable(name), f"{count:,}") for name, count in rehearsal.variants.items()]
    print()
    print_rows(rows, ("variant", "readers"))


def _print_days(estimate: Estimate) -> None:
    if len(estimate.days) < 2:
        return
    shown = estimate.days[:_SHOWN_DAYS]
    print()
    print_rows([(day.day, f"{day.messages:,}") for day in shown], ("day (UTC)", "messages"))
    if len(estimate.days) > len(shown):
        print(f"and {len(estimate.days) - len(shown):,} days more")


def _print_domains(rehearsal: Rehearsal) -> None:
    named, whole = rehearsal.domains.named, rehearsal.audience
    if not whole:
        return
    rows = [(name, count) for name, count in named[:_SHOWN_DOMAINS]]
    others = whole - sum(count for _, count in rows)
    rows += [("(others)", others)] if others else []
    print()
    print_rows(
        [(_printable(name), f"{count:,}", f"{count / whole:.1%}") for name, count in rows],
        ("recipient domain", "readers", "share"),
    )
    print()


def _print_unmailable(rehearsal: Rehearsal) -> None:
    if not rehearsal.failed:
        return
    shown = list(islice(rehearsal.unmailable(), _SHOWN_READERS))
    print_rows([_cells(one) for one in shown], ("can't be mailed", "reader", "why"))
    if rehearsal.failed > len(shown):
        print(f"and {rehearsal.failed - len(shown):,} more; --json lists all")
    print()


def _cells(one: Unmailable) -> tuple[str, str, str]:
    return _printable(one.address), one.recipient_id, _printable(one.sentence)


def _printable(text: str) -> str:
    """What comes from a table or a server must not steer the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
