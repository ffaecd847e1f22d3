"""`python -m engine.models`: the table of docs/students.md."""

from engine.models.sizes import table

print(table())
