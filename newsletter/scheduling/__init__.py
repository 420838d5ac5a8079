"""When to call which workflow."""
