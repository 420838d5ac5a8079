"""What comes back from a mail: clicks, and mails of those who leave."""
