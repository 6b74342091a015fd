"""The outcomes as JUnit XML, which CI systems show: a test a replay, by the name of its file.

What differs or is not blessed is a failure, what could not run an error.
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from hft.runs.regression.outcome import ERROR, Outcome, text_of

# What XML 1.0 cannot hold, not even escaped.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(file: str, outcomes: Sequence[Outcome]) -> str:
    """The whole document."""
    failures = sum(not one.ok and one.state != ERROR for one in outcomes)
    counts = {
        "tests": str(len(outcomes)),
        "failures": str(failures),
        "errors": str(sum(one.state == ERROR for one in outcomes)),
        "skipped": "0",
        "time": _seconds(sum(one.seconds for one in outcomes)),
    }
    root = ElementTree.Element("testsuites", {"name": "hft replay check", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _clean(file), **counts})
    for one in outcomes:
        named = {"classname": _clean(file), "name": one.name, "time": _seconds(one.seconds)}
        case = ElementTree.SubElement(suite, "testcase", named)
        if not one.ok:
            kind = "error" if one.state == ERROR else "failure"
            said = {"type": one.state, "message": _clean(one.sentence)}
            ElementTree.SubElement(case, kind, said).text = _clean(text_of(one))
        out = f"{one.how or 'not run'}, digest {one.now or 'none'}"
        ElementTree.SubElement(case, "system-out").text = out
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _seconds(value: float) -> str:
    return f"{value:.3f}"


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)
