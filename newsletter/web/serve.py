"""The pages on a port."""

import gc
import socket

import uvicorn
from starlette.applications import Starlette

from newsletter.errors import ConfigError
from newsletter.log import get_logger

log = get_logger(__name__)


def run_web(app: Starlette, host: str, port: int) -> None:
    """Serve ``app`` until a signal stops it (uvicorn hears SIGINT and SIGTERM).

    ConfigError where the port is taken.

    Proxy headers stay off: who is behind a proxy is decided by
    ``WebContext.trusted_proxies``. Requests are logged by the app, which keeps
    tokens out of the log; uvicorn's own loggers go the way of all others.
    """
    listener = _listen(host, port)
    log.info("web_starts", host=host, port=listener.getsockname()[1])
    config = uvicorn.Config(
        app,
        access_log=False,
        ws="none",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    # Nothing that is loaded by now is ever garbage, and to look for some takes a tenth of a
    # second in which nobody is answered.
    gc.freeze()
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            f"[web] {host} port {port}: can't listen there ({error.strerror}); end what does, or "
            "set another port",
            subject="web",
        ) from error
