"""The mail byte for byte: a new release of what renders it must not change it unseen."""

from tests.rendering.golden import golden_files


def test_the_mail_is_as_it_was() -> None:
    for path, text in golden_files():
        assert text == path.read_text(encoding="utf-8"), (
            f"{path.name} changed: look at the mail, run `make golden`, and look at the difference"
        )
