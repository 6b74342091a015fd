"""A typed causal language over named columns, and the one evaluator behind batch and streaming.

It decides what a text means (`parse`), what it is worth on columns (`evaluate`) and on a stream
(`Streaming`). No operator can see a later row. It owns no file and never changes a column.
"""
