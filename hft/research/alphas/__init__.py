"""An alpha on disk: its id, manifest and protocol, how it is loaded, run and made."""
