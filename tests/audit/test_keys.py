"""The keys file: read strictly, and every complaint names row, field and the fix."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.audit.keys import FIELDS, Keys, dump, entry
from hft.audit.sign import generate
from hft.core.errors import ConfigError, GovernanceError
from hft.storage.strict_yaml import load_yaml

NS = 1_000_000_000


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("keys")
    return [generate(folder / name, name) for name in ("a", "b")]


def rows(public: list[str], **changes: Any) -> list[dict[str, Any]]:
    first = entry("Ada Lovelace", public[0], emails=["ada@x.org"], roles=["owner"])
    second = entry("Bob", public[1], emails=["bob@x.org"], roles=["validator"])
    return [{**first, **changes}, second]


def test_a_file_is_read_as_it_was_written(tmp_path: Path, public: list[str]) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(dump(rows(public)))
    found = Keys.read(path)
    assert [key.name for key in found] == ["Ada Lovelace", "Bob"]
    assert found.of("Bob")[0].roles == ("validator",)
    assert found.of("Bob")[0].fingerprint.startswith("SHA256:") and len(found.hash) == 64
    assert found.hash != Keys.from_rows(rows(public)[:1]).hash


def test_an_absent_or_empty_file_has_no_keys(tmp_path: Path) -> None:
    assert len(Keys.read(tmp_path / "none.yaml")) == 0 and Keys.read(tmp_path / "none").hash == ""
    assert len(Keys.from_bytes(b"[]\n")) == 0 and len(Keys.from_bytes(b"")) == 0


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"roles": ["boss"]}, "row 1: roles: 'boss' is none of owner, validator, risk, operator"),
    ({"roles": []}, "row 1: roles: is empty"),
    ({"roles": "owner"}, "row 1: roles: is not a list"),
    ({"name": ""}, "row 1: name:"),
    ({"name": 7}, "row 1: name: 7 is no name"),
    ({"name": "a\nb"}, "row 1: name:"),
    ({"emails": ["nobody"]}, "row 1: emails: 'nobody' is no address"),
    ({"emails": ["bob@x.org"]}, "row 2: emails: bob@x.org belongs to Ada Lovelace in row 1"),
    ({"key": "ssh-rsa AAAA"}, "row 1: key: ssh-rsa is not of type ssh-ed25519"),
    ({"key": "ssh-ed25519 AAAA"}, "row 1: key: is damaged"),
    ({"key": "ssh-ed25519 !!!"}, "row 1: key: is damaged"),
    ({"key": None}, "row 1: key:"),
    ({"from": "yesterday"}, "row 1: from: 'yesterday' is no time"),
    ({"from": "2026-01-01T00:00:00"}, "row 1: from:"),
    ({"from": 5}, "row 1: from: 5 is no time"),
    ({"until": "1969-01-01"}, "row 1: until:"),
    ({"until": "1970-01-01"}, "row 1: until: is not after `from`"),
    ({"revoked": "soon"}, "row 1: revoked: 'soon' is no time"),
    ({"colour": "red"}, "row 1: colour: is not a known field"),
]


@pytest.mark.parametrize(("changes", "words"), BROKEN, ids=[words for _, words in BROKEN])
def test_a_wrong_field_is_named_with_its_row(
    public: list[str], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        Keys.from_rows(rows(public, **changes), "keys.yaml")
    assert str(raised.value).startswith("keys.yaml: ") and words in str(raised.value)


def test_a_missing_field_and_a_key_given_twice_are_named(public: list[str]) -> None:
    broken = rows(public)
    del broken[1]["from"]
    with pytest.raises(ConfigError, match=r"row 2: from: is missing; add it"):
        Keys.from_rows(broken)
    twice = rows(public)
    twice[1]["key"] = twice[0]["key"]
    with pytest.raises(ConfigError, match=r"row 2: key: is that of row 1"):
        Keys.from_rows(twice)


def test_what_is_no_list_of_mappings_is_refused() -> None:
    for bad in (b"a: 1\n", b"- 7\n", b"text\n", b"\xff\xfe", b"- {name: [}\n"):
        with pytest.raises(ConfigError):
            Keys.from_bytes(bad)


def test_a_key_counts_from_its_first_moment_until_it_ends_or_is_revoked(public: list[str]) -> None:
    limits = {"from": "2026-01-01", "until": "2026-03-01T12:00:00Z", "revoked": "2026-02-01"}
    key = Keys.from_rows(rows(public, **limits)).rows[0]
    january, february = 1_767_225_600 * NS, 1_769_904_000 * NS
    assert "counts from 2026-01-01" in key.refusal(january - 1)
    assert key.refusal(january) == "" and key.refusal(february - 1) == ""
    assert "is revoked since 2026-02-01" in key.refusal(february)
    expired = Keys.from_rows(rows(public, **{**limits, "revoked": None})).rows[0]
    assert expired.refusal(february) == ""
    assert "expired at 2026-03-01T12:00:00Z" in expired.refusal(february * 2)
    never = Keys.from_rows(rows(public, revoked=True)).rows[0]
    assert "is revoked" in never.refusal(0) and never.principal not in str(
        Keys.from_rows(rows(public, revoked=True)).allowed_signers()
    )


def test_an_unknown_name_lists_who_is_known(public: list[str]) -> None:
    with pytest.raises(GovernanceError, match=r"Eve: is not in keys, which knows Ada.*, Bob"):
        Keys.from_rows(rows(public)).of("Eve")


def test_one_person_may_have_a_second_key(public: list[str]) -> None:
    both = rows(public)
    both[1] |= {"name": "Ada Lovelace", "emails": ["ada@x.org"]}
    assert len(Keys.from_rows(both).of("Ada Lovelace")) == 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner),
    )
)
def test_any_content_is_keys_or_one_sentence(content: Any) -> None:
    try:
        Keys.from_rows(content)
    except ConfigError as error:
        assert "\n" not in str(error)


@given(st.binary(max_size=200))
def test_any_bytes_are_keys_or_one_sentence(content: bytes) -> None:
    try:
        Keys.from_bytes(content)
    except ConfigError as error:
        assert str(error).startswith("keys.yaml: ")


def test_the_shape_of_an_entry_is_that_of_the_contract(public: list[str]) -> None:
    (row, _) = load_yaml(dump(rows(public)), "keys.yaml")
    assert sorted(row) == sorted(FIELDS)
