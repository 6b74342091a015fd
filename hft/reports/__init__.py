"""Read-only views of a finished run: numbers, cards, tables and the report; frames in, text out."""
