# SPDX-License-Identifier: MIT
"""Pool: a detector for each key."""

from __future__ import annotations

import io
import struct
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, overload

from libanomaly import _options
from libanomaly._detectors import DEFAULT_COLUMNS, Detector, Explanation, Files, Owner, as_buffer, check_overdue, features_in
from libanomaly._errors import NotFoundError, check, check_threshold, check_told
from libanomaly._keys import Key, KeyColumn, key_bytes, key_of
from libanomaly._native import NULL, address, events, ffi, lib
from libanomaly._results import Counters, Silence, Stats, Verdict, as_tuple
from libanomaly._rows import Call, Columns, Verdicts, check_index
from libanomaly._times import to_ns

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from libanomaly._settings import ForestPool, MahalanobisPool, PercentilePool, WatchPool, ZScorePool


class Usage(NamedTuple):
    """What a pool holds: keys, bytes of memory, and how many keys were ever created, removed and evicted."""

    keys: int
    bytes: int
    created: int
    removed: int
    evicted: int


def limits_of(
    max_keys: int = 0,
    max_bytes: int = 0,
    max_idle: str | timedelta | None = None,
    refuse: bool = False,
    locks: bool = True,
    shards: int = 0,
    hash_seed: int = 0,
) -> Any:
    """anomaly_pool_options; None where everything is as the library has it."""
    limits = ffi.new("anomaly_pool_options *")
    check(lib.anomaly_pool_options_init(limits, ffi.sizeof("anomaly_pool_options")))
    limits.max_keys, limits.max_bytes, limits.max_idle_ns = max_keys, max_bytes, _idle_ns(max_idle)
    limits.refuse, limits.locks, limits.shards, limits.hash_seed = refuse, locks, shards, hash_seed
    return limits


def _idle_ns(max_idle: str | timedelta | None) -> int:
    """A time as options take it, by way of one that is a time."""
    if not max_idle:
        return 0
    return int(_options.config_of(lib.ANOMALY_ZSCORE, {"max_jump": max_idle}).max_jump_ns)


class Pool(Owner, events.Pool):
    """A detector for each key, all of one kind and with the same options, each made when its key is first used.

    >>> pool = Pool("zscore", window=100, max_keys=1000)
    >>> for i in range(20):
    ...     verdict = pool.update("cpu", 50 + i % 5)
    >>> pool.update("cpu", 95).anomaly, pool.update("memory", 95).anomaly
    (True, False)

    kind: "zscore", "percentile", "iforest" or "mahalanobis"; options as for those detectors. Limits: `max_keys`, `max_bytes`
    (all memory the pool takes), `max_idle` (a time: keys idle for longer go when new ones come). At a limit the least
    recently used keys are evicted, or with refuse=True the call raises FullError. `on_evict(key, snapshot)` is called with
    each key that was evicted and its detector's snapshot (restore() makes it live again), at the end of the call that
    made it go.

    A key is str (its UTF-8 bytes), bytes, int, or a tuple of str, int and tuples; 1 and "1" are two keys.

    A pool may be used from any number of threads. `shards`, `locks` and `hash_seed` are for special cases: see anomaly.h.
    """

    __slots__ = ("__weakref__", "_by_time", "_cdata", "_evictions", "_names", "_on_evict", "_untold", "kind")

    if TYPE_CHECKING:

        @overload
        def __init__(self, kind: Literal["zscore"] = "zscore", **options: Unpack[ZScorePool]) -> None: ...
        @overload
        def __init__(self, kind: Literal["percentile"], **options: Unpack[PercentilePool]) -> None: ...
        @overload
        def __init__(self, kind: Literal["iforest"], **options: Unpack[ForestPool]) -> None: ...
        @overload
        def __init__(self, kind: Literal["mahalanobis"], **options: Unpack[MahalanobisPool]) -> None: ...

        @overload
        def __init__(self, kind: Literal["watch"], **options: Unpack[WatchPool]) -> None: ...

    def __init__(
        self,
        kind: str = "zscore",
        *,
        max_keys: int = 0,
        max_bytes: int = 0,
        max_idle: str | timedelta | None = None,
        refuse: bool = False,
        locks: bool = True,
        shards: int = 0,
        hash_seed: int = 0,
        on_evict: Callable[[Key, bytes], object] | None = None,
        **options: Any,
    ) -> None:
        if kind not in _options.KINDS:
            raise ValueError(f'kind: "{kind}" is none of {", ".join(_options.KINDS)}')
        config = _options.config_of(_options.KINDS[kind], options)
        limits = limits_of(max_keys, max_bytes, max_idle, refuse, locks, shards, hash_seed)
        self._watch(limits, on_evict)
        out, told = ffi.new("anomaly_pool **"), ffi.new("anomaly_error *")
        check_told(lib.anomaly_pool_create(config, limits, NULL, out, told), told)
        self._own(out[0], locks)
        _options.warn(told, 2)

    def _watch(self, limits: Any, on_evict: Callable[[Key, bytes], object] | None) -> None:
        self._on_evict = on_evict
        self._untold: deque[tuple[Key, bytes]] = deque()
        self._evictions = NULL
        if on_evict is not None:
            self._evictions = ffi.gc(lib.libanomaly_evictions_new(), lib.libanomaly_evictions_free)
            lib.libanomaly_evictions_watch(self._evictions, limits)

    def _own(self, pool: Any, locks: bool) -> None:
        config = ffi.new("anomaly_config *")
        check(lib.anomaly_pool_get_config(pool, config, ffi.sizeof("anomaly_config")))
        self._adopt(0, address(pool), config.features, Verdict, locks, self._on_evict is not None)
        self._cdata = pool
        self._names = ()
        self._by_time = bool(lib.anomaly_needs_times(config))
        self.kind = next(name for name, number in _options.KINDS.items() if number == config.kind)

    def _tell(self) -> None:
        """Calls on_evict for what has been evicted; here, where no lock is held, it may use the pool."""
        if self._on_evict is None:
            return
        evicted = lib.libanomaly_evictions_take(self._evictions)
        while evicted:
            data = ffi.buffer(evicted.bytes, evicted.key_size + evicted.snapshot_size)[:]
            self._untold.append((key_of(data[: evicted.key_size]), data[evicted.key_size :]))
            freed, evicted = evicted, evicted.next
            lib.libanomaly_evicted_free(freed)
        while True:  # where on_evict raises, the others are told next time
            try:
                told = self._untold.popleft()
            except IndexError:  # here, or another thread has taken the last one
                return
            self._on_evict(*told)

    _key = staticmethod(key_bytes)

    # ---- events ----

    def update_rows(self, keys: Any, values: Any, times: Any = None, columns: Columns = DEFAULT_COLUMNS) -> Verdicts:
        """update() for each row, in order, with the very same verdicts.

        keys: n keys: a list, a pandas or polars column (categorical or not), an Arrow array (dictionary or not), a NumPy
        array of str or int, a frame whose rows are tuples; each distinct key is encoded once. values, times, columns: as in
        Detector.update_rows().
        """
        call = Call(
            values,
            times,
            columns,
            self.features,
            self._by_time or self.kind in _options.HOURS,
            self._names,
            self.kind in _options.WHOLE,
        )
        column = KeyColumn(keys)
        if column.count != call.count:
            raise ValueError(f"{column.count} keys for {call.count} rows")
        check_index("keys", keys, values)
        done = ffi.new("size_t *")
        with self._inside(True):
            status = lib.anomaly_pool_update_rows(self._cdata, column.keys, call.rows, call.out, done)
        self._names = self._names or (call.names if done[0] else ())
        self._tell()
        if status:
            raise self._error_in_rows(status, call, done[0])
        return call.verdicts()

    def _ask(self, key: Key, question: int, **given: Any) -> Any:
        ask = ffi.new("libanomaly_ask *", {"question": question, **given})
        with self._inside(True):
            status = lib.libanomaly_pool_ask(self._cdata, self._find(key), ask)
        if status:
            self._fail(status)
        return ask

    def score(self, key: Key, x: Any, time: Any = None) -> Verdict:
        """Judges an event against its key's window as it stands and moves nothing. NotFoundError: no such key."""
        event = features_in(x, self.features, self._names)
        v = self._ask(key, lib.LIBANOMALY_SCORE, x=event, t_ns=to_ns(time)).verdict
        return Verdict(v.score, v.threshold, v.expected, v.lower, v.upper, v.flags, v.feature, v.events, v.tail)

    def learn(self, key: Key, x: Any, time: Any = None) -> None:
        """Learns an event without judging it; a new key is made."""
        event = features_in(x, self.features, self._names)
        self.slot(key)
        self._ask(key, lib.LIBANOMALY_LEARN, x=event, t_ns=to_ns(time))

    def advance(self, time: Any, key: Key | None = None) -> None:
        """Moves the clock of every key, or of one, and forgets what has become too old."""
        if key is not None:
            self._ask(key, lib.LIBANOMALY_ADVANCE, t_ns=to_ns(time))
            return
        with self._inside(True):
            check(lib.anomaly_pool_advance(self._cdata, to_ns(time)), "advance() needs a time")

    # ---- questions about one key ----

    def stats(self, key: Key, feature: int = 0) -> Stats:
        """Statistics of a feature over the key's window."""
        return as_tuple(Stats, self._ask(key, lib.LIBANOMALY_STATS, feature=feature).stats)

    def quantile(self, key: Key, q: float, feature: int = 0) -> float:
        """The exact q-quantile (0 to 1) of a feature over the key's window."""
        return float(self._ask(key, lib.LIBANOMALY_QUANTILE, feature=feature, q=q).value)

    def explain(self, key: Key, x: Any) -> Any:
        """Isolation forest, Mahalanobis: each feature's share of this event's score. Shape (features,).

        KindError with season or transform="rate", where a score needs a time.
        """
        asked = Explanation(x, self.features, self._names)
        self._ask(key, lib.LIBANOMALY_EXPLAIN, x=asked.event, contribution=asked.pointer)
        return asked.told()

    def rebuild(self, key: Key) -> None:
        """Isolation forest: grows every tree of the key anew from its window."""
        self._ask(key, lib.LIBANOMALY_REBUILD)

    def reset(self, key: Key) -> None:
        """Forgets the key's events, clock and counters; the key stays."""
        self._ask(key, lib.LIBANOMALY_RESET)

    def counters(self, key: Key | None = None) -> Counters:
        """How often what has happened, for a key, or over all keys that are or were there."""
        if key is not None:
            return as_tuple(Counters, self._ask(key, lib.LIBANOMALY_COUNTERS).counts)
        return as_tuple(Counters, self._read(lib.anomaly_pool_counters, "anomaly_counts *"))

    def overdue(self, now: Any) -> dict[Key, Silence]:
        """With the option silence: the keys of which an event is overdue at that time of the events' own clock, those that
        are overdue for longest first. A key is there as long as it is silent. ConfigError without the option."""
        found = ffi.gc(ffi.new("libanomaly_bytes *"), lib.libanomaly_drop)
        with self._inside(False):
            check_overdue(lib.libanomaly_overdue_keys(self._cdata, to_ns(now), found))
        data, at, silent = ffi.buffer(found.bytes, found.used)[:] if found.used else b"", 0, []
        while at < len(data):
            *times, size = struct.unpack_from("=qqqqQ", data, at)
            silent.append((key_of(data[at + 40 : at + 40 + size]), Silence(*times)))
            at += 40 + size
        return dict(sorted(silent, key=lambda item: item[1].overdue_ns, reverse=True))

    # ---- keys ----

    def slot(self, key: Key) -> int:
        """A short name for the key, which is made if it is new; for update_at(). Void for good once the key is gone."""
        out, name = ffi.new("uint64_t *"), key_bytes(key)
        with self._inside(True):
            check(lib.anomaly_pool_slot(self._cdata, name, len(name), out))
        self._tell()
        return int(out[0])

    def find(self, key: Key) -> int:
        """The slot of a key that is there. NotFoundError."""
        with self._inside(False):
            return self._find(key)

    def _find(self, key: Key) -> int:
        out, name = ffi.new("uint64_t *"), key_bytes(key)
        status = lib.anomaly_pool_find(self._cdata, name, len(name), out)
        if status == lib.ANOMALY_E_NOTFOUND:
            raise NotFoundError(f"there is no key {key_of(name)!r}")
        check(status)
        return int(out[0])

    def __contains__(self, key: object) -> bool:
        try:
            return self.find(key) >= 0  # type: ignore[arg-type]  # whatever is no key is not in it
        except (NotFoundError, TypeError):
            return False

    def __len__(self) -> int:
        return int(lib.anomaly_pool_count(self._cdata))

    def slots(self) -> dict[Key, int]:
        """Every key and its slot, in no particular order: str, int or tuple where it is one's bytes, else bytes."""
        found = ffi.gc(ffi.new("libanomaly_bytes *"), lib.libanomaly_drop)
        with self._inside(False):
            check(lib.libanomaly_keys(self._cdata, found))
        data, at, slots = ffi.buffer(found.bytes, found.used)[:] if found.used else b"", 0, {}
        while at < len(data):
            slot, size = struct.unpack_from("=QQ", data, at)
            slots[key_of(data[at + 16 : at + 16 + size])] = slot
            at += 16 + size
        return slots

    def __iter__(self) -> Iterator[Key]:
        return iter(self.slots())

    def remove(self, key: Key) -> None:
        """Forgets a key. NotFoundError."""
        name = key_bytes(key)
        with self._inside(True):
            status = lib.anomaly_pool_remove(self._cdata, name, len(name))
        check(status, f"there is no key {key_of(name)!r}")

    def evict(self, before: Any = None, keep_keys: int | None = None, keep_bytes: int | None = None) -> int:
        """Evicts keys whose newest event is older than `before`, then the least recently used until at most so many keys
        and bytes are left. How many went."""
        out, most = ffi.new("uint64_t *"), 2**64 - 1
        keys, size = (most if keep is None else keep for keep in (keep_keys, keep_bytes))
        with self._inside(True):
            check(lib.anomaly_pool_evict(self._cdata, to_ns(before), keys, size, out))
        self._tell()
        return int(out[0])

    def detector(self, key: Key) -> Detector:
        """A copy of the key's detector, which then goes its own way."""
        made = Detector.restore(self.export_key(key))
        made._names = self._names
        return made

    def export_key(self, key: Key) -> bytes:
        """The snapshot of one key's detector, for a store outside."""
        name, size = key_bytes(key), ffi.new("size_t *")
        while True:  # another thread may make it larger between the two calls
            with self._inside(False):
                check(
                    lib.anomaly_pool_export(self._cdata, name, len(name), NULL, 0, size), f"there is no key {key_of(name)!r}"
                )
                buffer = bytearray(size[0])
                status = lib.anomaly_pool_export(self._cdata, name, len(name), ffi.from_buffer(buffer), len(buffer), size)
            if status != lib.ANOMALY_E_SPACE:
                check(status)
                return bytes(buffer[: size[0]])

    def import_key(self, key: Key, data: Any) -> None:
        """Makes or replaces a key from a detector's snapshot, with the pool's options. ConfigError, CorruptError."""
        name, told, buffer = key_bytes(key), ffi.new("anomaly_error *"), as_buffer(data)
        with self._inside(True):
            status = lib.anomaly_pool_import(self._cdata, name, len(name), buffer, len(buffer), told)
        self._tell()
        check_told(status, told)

    # ---- the pool ----

    @property
    def usage(self) -> Usage:
        """Keys, bytes, and how many keys have come and gone."""
        return as_tuple(Usage, self._read(lib.anomaly_pool_usage, "anomaly_usage *"))

    def _config(self) -> Any:
        return self._read(lib.anomaly_pool_get_config, "anomaly_config *", ffi.sizeof("anomaly_config"))

    @property
    def options(self) -> dict[str, str | int | float]:
        """Every option of the detectors as it is in force."""
        return _options.settings_of(self._config())

    @property
    def threshold(self) -> float:
        """The threshold of every key, present and future; can be set at any time."""
        return float(self._config().threshold)

    @threshold.setter
    def threshold(self, value: float) -> None:
        with self._inside(True):
            check_threshold(lib.anomaly_pool_set_threshold(self._cdata, value), value)

    @property
    def snapshot_size(self) -> int:
        """Bytes of a snapshot of the pool as it is."""
        return int(self._read(lib.anomaly_pool_snapshot_size, "size_t *")[0])

    def snapshot(self) -> bytes:
        """The pool as bytes, the same on every machine. Other threads may go on meanwhile."""
        memory = io.BytesIO()
        self.snapshot_to(memory)
        return memory.getvalue()

    def snapshot_to(self, file: BinaryIO) -> None:
        """snapshot() to a binary file object, in pieces of 64 KiB or one key."""
        self._write(lib.anomaly_pool_snapshot_write, file)

    @classmethod
    def restore(
        cls,
        data: Any,
        *,
        kind: str | None = None,
        limits: dict[str, Any] | None = None,
        on_evict: Callable[[Key, bytes], object] | None = None,
        **options: Any,
    ) -> Self:
        """A pool that goes on where the saved one stood.

        data: the bytes of snapshot(), or a binary file object, which is read to the snapshot's end and no further.
        kind and options: where threshold, side, reserve or simd are to differ, all options as for a new pool.
        limits: max_keys and so on as for a new pool; None as saved, and then on_evict cannot be given.
        """
        if on_evict is not None and limits is None:
            raise ValueError("on_evict needs the limits: give limits=dict(max_keys=...)")
        config = NULL if kind is None else _options.config_of(_options.KINDS[kind], options)
        made = cls.__new__(cls)
        given = NULL if limits is None else limits_of(**limits)
        made._watch(given, on_evict)
        out, told = ffi.new("anomaly_pool **"), ffi.new("anomaly_error *")
        if hasattr(data, "read"):
            files = Files(data)
            source = lib.libanomaly_read, files.handle
            files.check(lib.anomaly_pool_restore_read(*source, config, given, NULL, out, told), told)
        else:
            buffer = as_buffer(data)
            check_told(lib.anomaly_pool_restore(buffer, len(buffer), config, given, NULL, out, told), told)
        made._own(out[0], (limits or {}).get("locks", True))
        return made

    def __repr__(self) -> str:
        if self._cdata == NULL:
            return "<Pool, closed>"
        used, counts = self.usage, self.counters()
        told = f'"{self.kind}", window={self.options["window"]!r}'
        return f"<Pool({told}): {used.keys} keys, {used.bytes} bytes, {counts.events} events, {counts.anomalies} anomalies>"


def key_hash(key: Key) -> int:
    """XXH64 of a key: the same for ever and everywhere, so that key_hash(key) % n can route keys to n processes.

    >>> key_hash("cpu") == key_hash(b"cpu")
    True
    """
    name = key_bytes(key)
    return int(lib.anomaly_key_hash(name, len(name)))


def restore(data: Any) -> Detector | Pool:
    """A detector or pool from the bytes of its snapshot(), of the class it was. CorruptError, VersionError."""
    head = bytes(memoryview(data).cast("B")[12:16])
    return Pool.restore(data) if head == b"\x02\0\0\0" else Detector.restore(data)
