"""What is handed on of a recording: a table of formats, each whole or not there (docs/adr/0033)."""
