"""Recorded markets on disk: schema, writer, reader, dataset."""
