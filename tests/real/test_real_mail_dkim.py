"""Mail::DKIM, the verifier of SpamAssassin, takes our signatures as they come off the wire.

It knows no Ed25519: a signature that it can't read must not keep it from RSA.
"""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.delivery.dkim_keys import Signer
from newsletter.delivery.message import MessageTemplate
from tests.delivery.samples import ISSUE, KEYRING, READER
from tests.delivery.signing_keys import ED25519, RSA, make_keys
from tests.real.programs import MissingProgram, find_program

# Reads a message with CRLF, prints each signature's algorithm and result. DNS is
# the JSON object of records in the first argument.
_VERIFY = r"""
use strict; use warnings;
use JSON::PP; use Net::DNS::RR;
use Mail::DKIM::Verifier;
my $records = decode_json($ARGV[0]);
{
    no warnings qw(redefine once);
    *Mail::DKIM::DNS::query = sub {
        my ($name) = @_;
        my $text = $records->{$name} // return;
        my @strings = $text =~ /(.{1,255})/gs;
        return Net::DNS::RR->new(name => $name, type => "TXT", txtdata => \@strings);
    };
}
binmode STDIN;
my $dkim = Mail::DKIM::Verifier->new();
while (<STDIN>) { $dkim->PRINT($_) }
$dkim->CLOSE();
print join("\n", map { $_->algorithm . " " . $_->result } $dkim->signatures()), "\n";
"""


@pytest.fixture(scope="module")
def perl() -> str:
    path = find_program("perl", "perl")
    loaded = subprocess.run(
        [path, "-MMail::DKIM::Verifier", "-e", "1"], capture_output=True, check=False
    )
    if loaded.returncode:
        raise MissingProgram(
            "Mail::DKIM is missing: install the Debian package libmail-dkim-perl "
            "(`make packages` does)"
        )
    return path


def test_the_rsa_signature_is_good_whatever_stands_beside_it(perl: str, tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    signer = Signer(tmp_path, [RSA, ED25519])
    mailing = replace(ISSUE, dkim_selectors=signer.selectors)
    raw = MessageTemplate.of(mailing, KEYRING, signer).build(READER)
    records = json.dumps({key.name: key.record for key in keys.values()})

    def verify(message: bytes) -> list[str]:
        done = subprocess.run(
            [perl, "-e", _VERIFY, records], input=message, capture_output=True, check=True
        )
        return done.stdout.decode().splitlines()

    assert "rsa-sha256 pass" in verify(raw)
    assert "rsa-sha256 fail" in verify(raw.replace(b"Stories.", b"Stories!"))
