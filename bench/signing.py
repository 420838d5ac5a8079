"""What OpenSSL's bare RSA-2048 signature costs, as the measure of a DKIM signature."""

import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

_BATCHES = 7
_SIGNATURES = 150
# About what a header hash covers; the signature's cost does not depend on it.
_MESSAGE = b"x" * 1000


def rsa_microseconds(*, threads: int) -> float:
    """Processor time of one signature (PKCS #1 v1.5, SHA-256), in microseconds.

    The median of some batches, with ``threads`` of them at a time: two on two
    virtual cores of one real core get in each other's way.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign_batch(_number: int) -> float:
        started = time.thread_time()
        for _ in range(_SIGNATURES):
            key.sign(_MESSAGE, padding.PKCS1v15(), SHA256())
        return (time.thread_time() - started) * 1e6 / _SIGNATURES

    with ThreadPoolExecutor(threads) as pool:
        return median(pool.map(sign_batch, range(_BATCHES * threads)))
