"""The pages on a port."""

import uvicorn
from starlette.applications import Starlette

from newsletter.log import get_logger

log = get_logger(__name__)


def run_web(app: Starlette, host: str, port: int) -> None:
    """Serve ``app`` until a signal stops it (uvicorn hears SIGINT and SIGTERM).

    Proxy headers stay off: who is behind a proxy is decided by
    ``WebContext.trusted_proxies``. Requests are logged by the app, which keeps
    tokens out of the log; uvicorn's own loggers go the way of all others.
    """
    log.info("web_starts", host=host, port=port)
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        ws="none",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
