"""The schema's history, run by Alembic from the program itself."""
