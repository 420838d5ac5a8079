"""What every refusal of the API looks like: JSON with one sentence."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

API_PATH = "/api/v1"


class Answer(BaseModel):
    """A document that holds what it says and nothing else."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(Answer):
    """Why it was not done."""

    code: str = Field(description="for programs")
    sentence: str = Field(description="for people, in the language asked for")
    field: str | None = Field(None, description="the part of the request that it is about")
    suggestion: str | None = Field(None, description="the address that may have been meant")


class ErrorAnswer(Answer):
    """What every refusal looks like."""

    error: ErrorDetail


def is_for_api(request: Request) -> bool:
    """Whether a request was meant for the API, also where it is none of its paths."""
    return f"{API_PATH}/" in f"{request.url.path}/"


def refuse(
    status: int,
    code: str,
    sentence: str,
    *,
    field: str | None = None,
    suggestion: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An answer of that status; ``code`` is for programs."""
    detail = ErrorDetail(code=code, sentence=sentence, field=field, suggestion=suggestion)
    return JSONResponse(ErrorAnswer(error=detail).model_dump(), status, headers)
