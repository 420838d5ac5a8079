"""`newsletter init`: writes config.toml from what a site tells of itself."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from newsletter.cli.output import print_json, print_rows, say
from newsletter.errors import UsageError
from newsletter.log import configure_logging
from newsletter.net.fetcher import Fetcher
from newsletter.sources.discovery import discover_site
from newsletter.sources.model import Finding, SiteProfile
from newsletter.workflows.opening import user_agent
from newsletter.workflows.set_up import config_text, is_private_address


def init(
    site: Annotated[str, typer.Option(metavar="URL", help="the paper's site")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Write a commented config file from what a site tells of itself; never over one."""
    configure_logging()
    if config.exists():
        raise UsageError(
            f"{config} is there already; name another by --config FILE", subject=str(config)
        )
    # Whoever types a private address at the terminal means it.
    with Fetcher(user_agent=user_agent(site)) as fetcher:
        profile = discover_site(fetcher, site, allow_private=is_private_address(site))
    _write(config, config_text(profile))
    if json:
        print_json({"config": config, "profile": profile})
        return
    print_rows(
        [(f.what, f.value, f.origin) for f in shown_findings(profile)], ("found", "", "from")
    )
    for warning in profile.warnings:
        say(warning)
    say(f"wrote {config}: add your relay and postal address, then `newsletter issue draft`")


# Of these a site has many, and all are kept or named in the file.
_MANY = ("social", "source", "sitemap", "reads", "counter")


def shown_findings(profile: SiteProfile) -> list[Finding]:
    """A line for each thing found: of several names or logos the one that is proposed."""
    shown: dict[tuple[str, str], Finding] = {}
    for finding in profile.findings:
        shown.setdefault((finding.what, finding.value if finding.what in _MANY else ""), finding)
    return list(shown.values())


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(
            f"{path}: can't be written ({error.strerror})", subject=str(path)
        ) from error
