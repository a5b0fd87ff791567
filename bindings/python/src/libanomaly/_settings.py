# SPDX-License-Identifier: MIT
"""The options as keywords, for type checkers and editors only; tests compare them with the library's table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Union

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    Window = Union[int, str, timedelta, tuple[Union[str, timedelta], int]]
    Duration = Union[str, timedelta]

    class Settings(TypedDict, total=False):
        window: Window
        warmup: int
        threshold: float
        compare: Literal["ge", "gt"]
        learn: str
        transform: Literal["none", "log", "log1p", "sqrt", "diff", "rate"]
        season: Duration
        season_offset: Duration
        alarm_rate: float
        alarms: str
        calibrate: int | str
        rest: int | str | timedelta
        confirm: str
        margin: float
        silence: str
        features: int
        reserve: bool
        simd: Literal["auto", "scalar", "portable", "avx2", "avx512"]

    class ValueSettings(Settings, total=False):
        side: Literal["both", "upper", "lower"]
        include_self: bool
        ddof: Literal[0, 1]
        flat: Literal["flag", "ignore"]
        max_late: Duration
        max_jump: Duration
        min_change: float | str
        quantile: Literal["linear", "nearest"]
        population: bool

    class ZScoreSettings(ValueSettings, total=False):
        robust: bool
        min_stddev: float

    class PercentileSettings(ValueSettings, total=False):
        lower: float
        upper: float

    class ForestSettings(Settings, total=False):
        profile: Literal["fast", "balanced", "accurate"]
        trees: int
        sample: int
        depth: int
        candidates: int
        guided: float
        contamination: float
        seed: int
        lags: int | Literal["auto", "pyramid"]
        population: bool

    class MahalanobisSettings(Settings, total=False):
        flat: Literal["flag", "ignore"]
        lags: int | Literal["auto", "pyramid"]
        population: bool

    class WatchSettings(Settings, total=False):
        pass

    class PoolSettings(TypedDict, total=False):
        max_keys: int
        max_bytes: int
        max_idle: str | timedelta | None
        refuse: bool
        locks: bool
        shards: int
        hash_seed: int
        on_evict: Callable[[Any, bytes], object] | None

    class ZScorePool(ZScoreSettings, PoolSettings, total=False):
        pass

    class PercentilePool(PercentileSettings, PoolSettings, total=False):
        pass

    class ForestPool(ForestSettings, PoolSettings, total=False):
        pass

    class MahalanobisPool(MahalanobisSettings, PoolSettings, total=False):
        pass

    class WatchPool(WatchSettings, PoolSettings, total=False):
        pass
