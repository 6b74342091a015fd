"""The peers' lock files and what happens where a peer cannot be had."""

import re

import pytest

from benchmarks import environments
from benchmarks.environments import LOCKS, PEERS, NotMeasured


@pytest.mark.parametrize("peer", PEERS)
def test_a_lock_pins_every_package_by_version_and_hash_and_names_no_host(peer):
    text = (LOCKS / f"{peer}.txt").read_text()
    packages = re.split(r"\n(?=\S)", text.strip())
    assert len(packages) > 5
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", package), package
        assert "--hash=sha256:" in package, package
    assert "://" not in text and "--index-url" not in text and "--find-links" not in text


@pytest.mark.parametrize("peer", PEERS)
def test_a_lock_holds_the_release_the_report_names(peer):
    name, version = PEERS[peer].split("==")
    text = (LOCKS / f"{peer}.txt").read_text().replace("-", "_").lower()
    assert f"\n{name}=={version}" in f"\n{text}"


def test_a_peer_that_cannot_be_installed_is_a_reason(tmp_path, monkeypatch):
    (tmp_path / "hftbacktest.txt").write_text("no-such-name ===\n")
    monkeypatch.setattr(environments, "LOCKS", tmp_path)
    monkeypatch.setattr(environments, "BENCH", tmp_path / "bench")
    calls = []

    def fails(command, **_):
        calls.append(command)
        code = 0 if "venv" in command else 1
        error = "Collecting\nERROR: no network\nhint: connect" if code else ""
        return environments.subprocess.CompletedProcess(command, code, "", error)

    monkeypatch.setattr(environments.subprocess, "run", fails)
    with pytest.raises(NotMeasured, match=r"hftbacktest==2\.4\.4.*ERROR: no network"):
        environments.interpreter("hftbacktest")
    assert "--require-hashes" in calls[-1]
    assert not list(tmp_path.glob("bench/peers/*/lock.sha256"))
