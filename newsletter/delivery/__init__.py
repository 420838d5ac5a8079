"""Message bytes, the SMTP conversation, and what a reply means."""
