"""The desk's pages about readers, with the act that each needs."""

from newsletter.publication.editors import Act
from newsletter.web.desk.background import Background
from newsletter.web.desk.imports import (
    show_imports,
    show_refused,
    show_upload,
    show_upload_state,
    take_import,
    take_import_drop,
    take_import_start,
    take_import_undo,
    take_suppressed_import,
)
from newsletter.web.desk.reader_figures import show_readers, take_count
from newsletter.web.desk.reader_page import (
    show_find,
    show_reader,
    take_find,
    take_reader_back,
    take_reader_data,
    take_reader_forgotten,
    take_reader_off,
    take_reader_suppressed,
)
from newsletter.web.desk.routes import DeskRoute, show, take
from newsletter.web.desk.segments import (
    SegmentCounts,
    show_segment_count,
    show_segments,
    take_segment_export,
)
from newsletter.web.desk.sign_up_forms import show_sign_up_forms, show_sign_up_look
from newsletter.web.desk.suppressed import (
    show_suppressed,
    take_addition,
    take_lift,
    take_search,
    take_suppressed_export,
)
from newsletter.web.desk.uploading import MOST_BYTES
from newsletter.words import gettext_noop


def readers_routes(background: Background) -> tuple[DeskRoute, ...]:
    """Figures for all; whatever shows or changes a reader for who may do that."""
    readers = Act.READERS
    counts = SegmentCounts(background)
    return (
        show("/readers", show_readers, needs=Act.LOOK, nav=gettext_noop("Readers")),
        take("/readers/count", take_count(background), needs=Act.READERS),
        show("/readers/sign-up", show_sign_up_forms, needs=Act.LOOK),
        show("/readers/sign-up/{newsletter}/{placement}/{way}", show_sign_up_look, needs=Act.LOOK),
        show("/readers/find", show_find, needs=readers),
        take("/readers/find", take_find, needs=readers),
        show("/readers/one/{reader}", show_reader, needs=readers),
        take("/readers/one/{reader}/off", take_reader_off, needs=readers),
        take("/readers/one/{reader}/back", take_reader_back, needs=readers),
        take("/readers/one/{reader}/suppress", take_reader_suppressed, needs=readers),
        take("/readers/one/{reader}/forget", take_reader_forgotten, needs=readers),
        take("/readers/one/{reader}/data", take_reader_data, needs=readers),
        show("/readers/segments", show_segments(counts), needs=readers),
        show("/readers/segments/count", show_segment_count(counts), needs=readers),
        take("/readers/segments/export", take_segment_export, needs=readers),
        show("/readers/suppressed", show_suppressed, needs=readers),
        take("/readers/suppressed/search", take_search, needs=readers),
        take("/readers/suppressed/add", take_addition, needs=readers),
        take("/readers/suppressed/lift", take_lift, needs=readers),
        take("/readers/suppressed/export", take_suppressed_export, needs=readers),
        take(
            "/readers/suppressed/import",
            take_suppressed_import,
            needs=readers,
            takes_file=MOST_BYTES,
        ),
        show("/readers/imports", show_imports, needs=readers),
        take("/readers/imports", take_import, needs=readers, takes_file=MOST_BYTES),
        show("/readers/imports/{upload}", show_upload, needs=readers),
        show("/readers/imports/{upload}/state", show_upload_state, needs=readers),
        show("/readers/imports/{upload}/refused", show_refused, needs=readers),
        take("/readers/imports/{upload}/start", take_import_start, needs=readers),
        take("/readers/imports/{upload}/drop", take_import_drop, needs=readers),
        take("/readers/imports/{upload}/undo", take_import_undo, needs=readers),
    )
