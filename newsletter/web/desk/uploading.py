"""A file sent by a form: written to the folder of uploads as it comes, never held in memory."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from newsletter.tokens import new_public_id
from newsletter.web.endpoint import MAX_BODY_BYTES, read_form
from newsletter.workflows.reader_uploads import UploadStore

# A list of two million readers with names and towns; what is larger goes in by the command line.
MOST_BYTES = 300_000_000
_MOST_FIELDS = 20
_LONGEST_NAME = 200


@dataclass(frozen=True)
class SentFile:
    """A file that came in whole, and what the browser calls it."""

    path: Path
    name: str
    bytes: int


class _IntoFolder(MultiPartParser):
    """Starlette's parser, its one file written to a path of ours instead of a temporary one."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], path: Path) -> None:
        super().__init__(
            headers,
            stream,
            max_files=1,
            max_fields=_MOST_FIELDS,
            max_part_size=MAX_BODY_BYTES,
        )
        self._path = path
        self.file: BinaryIO | None = None

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        part = self._current_part.file
        if part is not None:
            part.file.close()
            self.file = self._path.open("xb")
            self._path.chmod(0o600)
            part.file = self.file


async def read_upload(request: Request, store: UploadStore) -> tuple[FormData, SentFile | None]:
    """The fields of a form and its file, whose path is the caller's to move or let go."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await read_form(request), None
    path = store.new_path(new_public_id())
    parser = _IntoFolder(request.headers, request.stream(), path)
    try:
        form = await parser.parse()
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, MultiPartException):
            raise HTTPException(400, error.message) from error
        raise
    finally:
        if parser.file is not None:
            parser.file.close()
    part = form.get("file")
    if not isinstance(part, UploadFile):
        path.unlink(missing_ok=True)
        return form, None
    name = Path((part.filename or "").replace("\\", "/")).name[:_LONGEST_NAME]
    return form, SentFile(path, name, path.stat().st_size)
