"""Train a quoting policy on a synthetic market, log the run, and write it as an alpha.

The first 60 % of the tape are for training, the rest is played once. Same arguments, same policy.
"""

import argparse
import hashlib
import shutil
from pathlib import Path

from hft.api.desk import Desk, open_desk
from hft.api.replays import Limits, Venue
from hft.api.rl import log_rl_run
from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.governance.training import Logged, Training
from hft.research.alphas.fitted import declare
from hft.research.alphas.manifest import FittedFile
from hft.research.leakage.report import moment
from hft.research.rl.episode import Market
from hft.research.rl.policy import ArrayPolicy
from hft.research.rl.quoting import ACTIONS, FEATURES, Quoting
from hft.research.rl.training import CrossEntropy, Outcome, cross_entropy, play, scored_on
from hft.runs.ingest import open_tapes, write_feeds

HERE = Path(__file__).resolve().parent
ALPHA = "rl_quotes"
DATA = "research/data/raw/rl_market"
SECOND_NS = 1_000_000_000
STRETCHES = 3
UNTRAINED = ArrayPolicy.zeros(len(FEATURES), len(ACTIONS))


def market(root: Path, events: int, seconds: int) -> Market:
    """Two hours or so of a synthetic market, made once, with a maker's fee of zero."""
    folder = root / DATA
    if not (folder / "manifest.json").is_file():
        feed = synthesize(5, events=events, span_ns=seconds * SECOND_NS)
        write_feeds([feed], folder, DecodeOptions(format="synthetic"))
    venue = Venue(latency="5ms", fees={"maker_bps": 0, "taker_bps": "0.2"})
    return Market(open_tapes(folder), Limits.research(), venue, SECOND_NS, Quoting(1, 5, 4))


def spans(where: Market) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Stretches to train on, and the one to judge by."""
    first, last = where.tapes.span
    cut = first + (last - first) * 6 // 10
    length = (cut - first) // STRETCHES
    return [(first + k * length, first + (k + 1) * length) for k in range(STRETCHES)], (cut, last)


def log(desk: Desk, where: Market, how: CrossEntropy, policy: ArrayPolicy, done: Outcome) -> Logged:
    """Seal the evaluation, count the trial, judge and keep the run."""
    run = done.episode.sealed(desk.workspace.experiments / "rl" / ALPHA, record="full")
    training = Training(
        alpha_id=ALPHA,
        config={"method": "cross_entropy", **vars(how), "venue": where.venue.to_dict()},
        data_hash=where.tapes[0].sha256,
        code_hash=hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
        interval=done.episode.span,
        seed=how.seed,
        data_paths=[DATA],
    )
    return log_rl_run(
        training,
        done.rewards,
        done.positions,
        root=desk.root,
        ts_ns=done.ts_ns,
        policy=policy,
        run=run,
    )


def write_alpha(desk: Desk, policy: ArrayPolicy, until_ns: int) -> Path:
    """The alpha of the policy: the files of `alpha/`, the weights, and what those have seen."""
    folder = desk.workspace.alphas / ALPHA
    shutil.copytree(HERE / "alpha", folder, dirs_exist_ok=True)
    policy.save(folder / "policy.npz")
    declare(folder, [FittedFile("policy.npz", DATA, moment(until_ns))])
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path())
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--population", type=int, default=16)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--events", type=int, default=240_000)
    parser.add_argument("--seconds", type=int, default=7_200)
    given = parser.parse_args()
    desk = open_desk(given.workspace)
    where = market(desk.root, given.events, given.seconds)
    train, judge = spans(where)
    how = CrossEntropy(given.rounds, given.population, seed=given.seed)
    trained = cross_entropy(UNTRAINED, scored_on(where, train), how)
    done = play(where, trained.policy, judge)
    logged = log(desk, where, how, trained.policy, done)
    folder = write_alpha(desk, trained.policy, judge[0])
    for k, (everyone, elite) in enumerate(trained.history, start=1):
        print(f"round {k}: mean {everyone:+.4f}, elite {elite:+.4f}")
    before = play(where, UNTRAINED, judge).net
    print(f"judged: net {done.net:+.4f} trained, {before:+.4f} untrained, {done.episode.counts}")
    print(f"gate RL: {logged.gate.verdict}: {logged.gate.reason}")
    print(f"run {logged.experiment.run_id}, alpha in {folder.relative_to(desk.root)}")


if __name__ == "__main__":
    main()
