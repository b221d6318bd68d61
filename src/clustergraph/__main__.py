"""``python -m clustergraph`` is the command line."""

from clustergraph.cli.main import main

if __name__ == "__main__":
    main(prog_name="clustergraph")
