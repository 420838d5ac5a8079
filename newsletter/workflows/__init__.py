"""The way as prose: fetch, draft, publish, deliver, sign up."""
