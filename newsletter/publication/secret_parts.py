"""Parts of addresses that open doors, hidden where settings are shown."""

import re
from typing import Any

_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_PARAMETER = re.compile(r"(?<=[?&])((?:api_?)?key|token|secret|password|sig)=[^&#\s]+", re.I)
HIDDEN = "…"


def hide_secrets(value: Any) -> Any:
    """A setting's value with logins and keys in its addresses taken out; lists and tables too."""
    if isinstance(value, str):
        return _PARAMETER.sub(rf"\1={HIDDEN}", _LOGIN.sub(HIDDEN, value))
    if isinstance(value, list | tuple):
        return [hide_secrets(one) for one in value]
    if isinstance(value, dict):
        return {key: hide_secrets(one) for key, one in value.items()}
    return value
