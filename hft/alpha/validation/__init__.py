"""Validation: gates A, B and C of one alpha on one dataset, with everything they leave behind."""

from hft.alpha.validation.request import Request
from hft.alpha.validation.result import Validation
from hft.alpha.validation.validate import Services, validate

__all__ = ["Request", "Services", "Validation", "validate"]
