"""Going out over HTTP, safely."""
