"""Names of alphas: how any text becomes an id, and which ids there cannot be."""

import re

from hft.core.errors import ValidationError

# Words of the command line after `hft alpha`, and of its groups: an alpha of that name could not
# be asked for.
RESERVED = frozenset(
    (
        *("list", "inventory", "scaffold", "try", "validate", "search", "pool", "promote"),
        *("approve", "canary", "ledger", "power", "asof", "why", "vault", "experiments", "status"),
        *("history", "rollback", "evaluate", "rl_promote", "matrix", "redundant", "optimize"),
        *("marginal", "compare", "best"),
    )
)
LONGEST = 64  # it names files and folders, with a suffix
_OTHER = re.compile(r"[^0-9a-z]+")


def alpha_id(text: str) -> str:
    """The id of a text: lower case, anything but letters and digits as "_", stripped.

    Raises: ValidationError for nothing, a word of the command line, and more than 64 characters.
    """
    found = _OTHER.sub("_", text.lower()).strip("_")
    if not found:
        raise ValidationError(f"alpha id {text!r}: holds no letter or digit; name it like my_alpha")
    if len(found) > LONGEST:
        raise ValidationError(
            f"alpha id '{found[:20]}...': has {len(found)} characters; {LONGEST} are the most"
        )
    if found in RESERVED:
        raise ValidationError(f"alpha id {found!r}: is a word of `hft alpha`; choose another name")
    return found


def class_name(identifier: str) -> str:
    """The class of an alpha: `order_flow` gives `OrderFlowAlpha`; a leading digit gets an A."""
    camel = "".join(part.capitalize() for part in identifier.split("_"))
    return f"{'A' if camel[:1].isdigit() else ''}{camel}Alpha"
