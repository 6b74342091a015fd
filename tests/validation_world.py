"""A workspace with one alpha whose audit is the journal: what tests of a validation begin with."""

from pathlib import Path

from hft.api import research


def made_desk(root: Path) -> Path:
    """The workspace, with `mine` copied from an example and no data yet.

    Delivery has tests of its own; here the journal is what counts.
    """
    research.init(root)
    research.scaffold(
        "mine",
        source="order_flow_imbalance",
        hypothesis="flow goes on",
        horizon="1min",
        root=root,
    )
    settings = root / "config" / "default.yaml"
    on, off = "HFT_ALPHA_AUDIT_ENABLED: true", "HFT_ALPHA_AUDIT_ENABLED: false"
    settings.write_text(settings.read_text().replace(on, off))
    return root
