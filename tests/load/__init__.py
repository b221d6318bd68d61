"""Load: hostile queries, and many clients at once, against a server that really runs.

``python -m tests.load`` (``make load``) runs all of it and writes the figures into
``docs/operations.md``; the tests run a short form.
"""
