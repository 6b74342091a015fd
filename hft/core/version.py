"""The version of hft, in the one place that the package, the wheel and run manifests read."""

VERSION = "0.1.0"
