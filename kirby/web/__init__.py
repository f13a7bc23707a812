"""The web service: API, pages, sign-in, in front of the database."""
