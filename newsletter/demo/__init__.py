"""A small paper, its readers and a mail catcher, to see the service work."""
