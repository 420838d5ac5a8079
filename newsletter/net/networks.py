"""Which network an address lies in: what limits count by."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network


# A sign-up asks for the same one three times.
@lru_cache(maxsize=1024)
def network_of(address: str) -> str:
    """The /24 or /64 that a numeric address lies in; "unknown" where it is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    prefix = 24 if found.version == 4 else 64
    return str(ip_network((found, prefix), strict=False))
