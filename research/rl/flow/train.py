"""Train a policy that follows order flow on rows of its own, log the run, write it as an alpha.

Nothing of what it is judged on later is read. Same arguments, same policy.
"""

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

import numpy as np

from hft.api.desk import open_desk
from hft.api.limits import Limits
from hft.api.rl import log_rl_run
from hft.governance.training import Training
from hft.research.alphas.fitted import declare
from hft.research.alphas.loader import load_folder
from hft.research.alphas.manifest import FittedFile
from hft.research.alphas.signals import evaluate
from hft.research.backtest import Rules, run
from hft.research.data.load import load
from hft.research.data.tapes import from_tapes
from hft.research.execution.simulation import replay_alpha
from hft.research.leakage.report import moment
from hft.research.rl.policy import ArrayPolicy
from hft.research.rl.training import CrossEntropy, cross_entropy
from hft.runs.ingest import open_tapes
from hft.runs.result import Run

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from alpha.impl import Memory  # noqa: E402 - beside this file

ALPHA = "rl_flow"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", default="data/train", help="rows to learn on")
    parser.add_argument("--judge", default="tapes/judge", help="tapes of later days, played once")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--now", help="the time of the run, with zone; only in a rehearsal")
    given = parser.parse_args()
    desk = open_desk(Path(), now=given.now)
    folder = desk.workspace.alphas / ALPHA
    shutil.copytree(HERE / "alpha", folder, dirs_exist_ok=True)
    ArrayPolicy.zeros(2, 1).save(folder / "policy.npz")
    rules, data = Rules(taker_bps=0.25), load(given.train, fields=("ofi",))
    memory = Memory()
    seen = np.array([memory.seen(one) for one in data.field("ofi").tolist()])

    def score(policy: ArrayPolicy) -> float:
        matrix, bias = policy.layers[0]
        earned = run(data, np.tanh(seen @ matrix + bias)[:, 0], rules).daily
        return float(earned.mean() / (earned.std() + 1e-12))

    how = CrossEntropy(given.rounds, 16, seed=42)
    trained = cross_entropy(ArrayPolicy.zeros(2, 1), score, how)
    trained.policy.save(folder / "policy.npz")
    declare(folder, [FittedFile("policy.npz", given.train, moment(data.interval[1]))])
    alpha, tapes = load_folder(folder), open_tapes(given.judge)
    played = from_tapes(tapes, "60s")
    replayed = replay_alpha(
        played,
        evaluate(alpha, played),
        rules,
        limits=Limits.load(desk.settings.limits),
        folder=desk.workspace.experiments / "rl" / ALPHA,
        record="full",
    )
    sealed = Run.open(replayed.paths[0])
    equity = sealed.equity.unique("ts", keep="last").sort("ts")
    net = equity["net"].to_numpy()
    rewards = np.diff(net, prepend=0.0)
    training = Training(
        alpha_id=ALPHA,
        config={"method": "cross_entropy", **vars(how)},
        data_hash=tapes[0].sha256,
        code_hash=hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
        interval=played.interval,
        seed=how.seed,
        data_paths=[given.judge],
    )
    times = equity["ts"].dt.epoch("ns").to_numpy()
    logged = log_rl_run(
        training,
        rewards,
        equity["position_lots"].to_numpy(),
        root=desk.root,
        now=given.now,
        ts_ns=times,
        policy=trained.policy,
        run=sealed,
    )
    print(f"score by round: {[round(float(one), 3) for _, one in trained.history]}")
    print(f"gate RL: {logged.gate.verdict}: {logged.gate.reason}")


if __name__ == "__main__":
    main()
