"""Validation: gates A, B and C of one alpha on one dataset, with everything they leave behind."""
