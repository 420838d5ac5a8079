"""What holds for all tests."""

from hypothesis import settings

# A busy machine makes nothing wrong: no test of a property looks at the clock.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")
