from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.llm.lengths import LENGTHS, LEVELS, LengthDistribution, lengths
from archgym.sims.llm.requests import steady_state

# Counted in the files that NeuPIMs ships: mean, deviation, p50, p90, p99, largest.
COUNTED = {
    ("alpaca", "prompt"): (12.13, 4.55, 11, 17, 27, 99),
    ("alpaca", "output"): (55.79, 55.24, 41, 122, 249, 1005),
    ("sharegpt", "prompt"): (80.04, 567.73, 17, 118, 1262, 196710),
    ("sharegpt", "output"): (295.67, 261.58, 261, 576, 961, 63144),
}


@pytest.fixture(scope="module")
def samples():
    drawn = {name: lengths(name).sample(400_000, seed=5) for name in LENGTHS}
    return {(name, part): drawn[name][place] for name in LENGTHS for place, part in enumerate(("prompt", "output"))}


@pytest.mark.parametrize("column", COUNTED, ids="-".join)
def test_samples_have_the_statistics_of_the_data(samples, column):
    mean, deviation, p50, p90, p99, largest = COUNTED[column]
    drawn = samples[column]
    # The tail of ShareGPT's prompts (deviation 568 in a mean of 80) leaves 1 % of sampling error in the mean.
    assert drawn.mean() == pytest.approx(mean, rel=0.045 if column == ("sharegpt", "prompt") else 0.01)
    assert drawn.std() == pytest.approx(deviation, rel=0.25 if column[0] == "sharegpt" else 0.02)
    assert np.percentile(drawn, [50, 90]).tolist() == pytest.approx([p50, p90], rel=0.02)
    assert np.percentile(drawn, 99) == pytest.approx(p99, rel=0.03)
    assert 1 <= drawn.min() <= drawn.max() <= largest
    known = lengths(column[0]).statistics[column[1]]
    assert dataclasses.astuple(known) == COUNTED[column]


def test_prompts_and_outputs_are_independent_and_seeded(samples):
    for name in LENGTHS:
        ranks = [np.argsort(np.argsort(samples[name, part])) for part in ("prompt", "output")]
        assert abs(np.corrcoef(*ranks)[0, 1]) < 0.01
        again, other = lengths(name).sample(100, 1), lengths(name).sample(100, 2)
        assert (lengths(name).sample(100, 1)[0] == again[0]).all()
        assert (other[0] != again[0]).any()


def test_tables_ascend_and_have_an_entry_a_level():
    assert (LEVELS[0], LEVELS[-1]) == (0, 1)
    assert (np.diff(LEVELS) > 0).all()
    for known in LENGTHS.values():
        for table in (known.prompt, known.output):
            assert len(table) == len(LEVELS)
            assert (np.diff(table) >= 0).all()
            assert table[0] >= 1


def test_running_requests_are_met_in_proportion_to_their_length():
    # Nine of ten requests have 10 tokens of output, the tenth 100: of 190 steps of ten requests 100 are the long one's.
    table = tuple(10 if level <= 0.9 else 100 for level in LEVELS)
    step = LengthDistribution("step", tuple(7 for _ in LEVELS), table, {}, "made up")
    prompt, output, generated = step.sample_running(100_000, 3)
    assert (prompt == 7).all()
    # Between the levels .9 and .925 the lengths go over from one to the other, so the share is counted in a sample.
    plain = step.sample(400_000, 4)[1]
    expected = plain[plain == 100].sum() / plain.sum()
    assert (output == 100).mean() == pytest.approx(expected, abs=0.006)
    # Any step alike: 0 to output - 1, uniform.
    long = generated[output == 100]
    assert (long.min(), long.max()) == (0, 99)
    assert long.mean() == pytest.approx(49.5, abs=0.6)
    assert np.bincount(long, minlength=100).std() < 0.15 * len(long) / 100


def slots(name, batch, steps, seed):
    """Serve `batch` slots for many steps, a new request as soon as one ends, and look who is there."""
    known, live = lengths(name), []
    prompt, output = known.sample(batch * steps, seed)
    for slot in range(batch):
        clock, place = 0, slot * steps
        while clock + output[place] <= steps:
            clock, place = clock + output[place], place + 1
        live.append(prompt[place] + steps - clock)
    return np.minimum(live, 2048)


def test_a_steady_batch_is_what_long_serving_leaves():
    served = np.concatenate([slots("alpaca", 2000, 1000, seed) for seed in range(4)])
    drawn = np.concatenate([steady_state("alpaca", 2000, seed) for seed in range(4)])
    # 8,000 samples of deviation 55: a standard error of 0.6 in 67.
    assert drawn.mean() == pytest.approx(served.mean(), rel=0.04)
    for percent in (10, 50, 90, 99):
        assert np.percentile(drawn, percent) == pytest.approx(np.percentile(served, percent), rel=0.08, abs=1)


def test_sharegpt_batches_are_like_the_snapshots_that_neupims_ships():
    # Mean of the 20 files request-traces/{rr,clb}/share-gpt2-bs512-*: 286 to 326, on average 303.5; p50 216, p90 622.
    drawn = np.array([steady_state("sharegpt", 512, seed) for seed in range(20)])
    assert drawn.mean() == pytest.approx(303.5, rel=0.03)
    assert drawn.max() == 2048
    assert np.percentile(drawn, 50) == pytest.approx(216, rel=0.04)
    assert np.percentile(drawn, 90) == pytest.approx(622, rel=0.04)


def test_wrong_names_and_sizes_are_refused():
    with pytest.raises(UnknownName, match="did you mean 'sharegpt'"):
        lengths("share-gpt")
    assert lengths("ShareGPT") is LENGTHS["sharegpt"]
    for draw in (LENGTHS["alpaca"].sample, LENGTHS["alpaca"].sample_running):
        with pytest.raises(InvalidInput, match="0 requests are not allowed"):
            draw(0, 1)
    with pytest.raises(InvalidInput, match="max_length 0"):
        steady_state("alpaca", 4, 0, max_length=0)
