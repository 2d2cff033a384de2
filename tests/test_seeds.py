from __future__ import annotations

import subprocess
import sys

from avatar_core.seeds import array_rng_from, rng_from, seed_from


def test_the_seed_is_fixed_for_all_time() -> None:
    # BLAKE2b, 8 bytes, of "int:1:0str:1:a", shifted right by one; computed with coreutils:
    # printf 'int:1:0str:1:a' | b2sum -l 64
    assert seed_from(0, "a") == 0x391BEFB543A3B3C1 >> 1


def test_seeds_are_in_range_and_distinct() -> None:
    seeds = [seed_from(run, step, "sample") for run in range(20) for step in range(50)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_coordinates_do_not_run_into_each_other() -> None:
    groups = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), (1, 1), (11,), ("11",)]
    assert len({seed_from(*group) for group in groups}) == len(groups) == 8


def test_generators_depend_on_the_coordinates_alone() -> None:
    assert rng_from(1, "x").random() == rng_from(1, "x").random() != rng_from(1, "y").random()
    first, second = array_rng_from(1, "x").random(4), array_rng_from(1, "x").random(4)
    assert first.tolist() == second.tolist()


def test_the_seed_is_the_same_in_another_process() -> None:
    code = "from avatar_core.seeds import seed_from; print(seed_from(7, 'sample', 3))"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert int(printed) == seed_from(7, "sample", 3)
