"""How the tables of the desk came about, step by step; Alembic runs them."""
