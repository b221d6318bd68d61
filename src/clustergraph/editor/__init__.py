"""The language server: what editors ask while somebody writes Turtle (LSP 3.17 over stdio)."""
