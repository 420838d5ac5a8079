"""The service's own look, from design.json: the one place where colours and fonts are written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TOKENS: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("design.json").read_text(encoding="utf-8")
)

# Colours as #rrggbb by what they are for, on a light and on a dark screen.
LIGHT: Mapping[str, str] = _TOKENS["light"]
DARK: Mapping[str, str] = _TOKENS["dark"]
# Families by script, each for "serif" and "sans", the best first and a generic one last.
# One family should cover Latin and the script's own letters, or a headline mixes two designs.
FONTS: Mapping[str, Mapping[str, list[str]]] = _TOKENS["fonts"]
