"""What a page of the desk is: a path, a handler, and the act that it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response

from newsletter.publication.editors import Act
from newsletter.web.desk.visit import Visit

# A letter of Armenian is six bytes of a form, and an issue's note may have 5,000.
LONG_TEXTS = 256 * 1024
DeskHandler = Callable[[Visit], Response]


@dataclass(frozen=True, kw_only=True)
class DeskRoute:
    """One path and method of the desk. There is none without the act it needs.

    ``path`` counts from the desk's root and begins with a slash. With ``nav``, a message
    of the catalogues, the page stands in the navigation of all who may see it. With
    ``steady`` the answer's time tells nothing of the work. With ``takes_file`` the form may
    bring a file of up to so many bytes, with ``takes_texts`` texts of so many.
    """

    path: str
    method: Literal["GET", "POST"]
    handler: DeskHandler
    needs: Act
    nav: str = ""
    steady: bool = False
    takes_file: int = 0
    takes_texts: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.needs, Act):
            raise TypeError(f"{self.method} {self.path} of the desk names no Act that it needs")
        if not self.path.startswith("/"):
            raise ValueError(f'the desk\'s path "{self.path}" begins with no slash')

    @property
    def takes(self) -> int:
        """How many bytes a form may have; 0 where as many as any."""
        return self.takes_file or self.takes_texts


def show(path: str, handler: DeskHandler, *, needs: Act, nav: str = "") -> DeskRoute:
    """A page, which changes nothing."""
    return DeskRoute(path=path, method="GET", handler=handler, needs=needs, nav=nav)


def take(
    path: str,
    handler: DeskHandler,
    *,
    needs: Act,
    steady: bool = False,
    takes_file: int = 0,
    takes_texts: int = 0,
) -> DeskRoute:
    """What a form is sent to: it is taken from our own pages only, and answered by going on."""
    return DeskRoute(
        path=path,
        method="POST",
        handler=handler,
        needs=needs,
        steady=steady,
        takes_file=takes_file,
        takes_texts=takes_texts,
    )
