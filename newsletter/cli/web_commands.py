"""`newsletter web`: the public pages and the preview."""

import os

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption
from newsletter.config import load_config
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.web.serve import run_web
from newsletter.workflows.sign_up import prepare_confirmations


def web(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Serve sign-up, confirmation, unsubscribe, archive and preview."""
    table = load_config(config, os.environ).bootstrap.web
    with open_from_file(config) as installation:
        context = WebContext.of(installation)
        prepare_confirmations(
            context.load_settings(),
            context.templates,
            base_url=context.base_url,
            now=context.clock.now(),
        )
        run_web(create_app(context), table.host, table.port)
