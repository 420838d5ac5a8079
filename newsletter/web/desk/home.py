"""This week: what waits for whom."""

from starlette.responses import Response

from newsletter.web.desk.visit import Visit


def show_home(visit: Visit) -> Response:
    """The desk's first page."""
    return visit.page("home")
