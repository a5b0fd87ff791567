# SPDX-License-Identifier: MIT
"""Detectors for one stream: ZScore, Percentile, IsolationForest, Mahalanobis, Watch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast

from libanomaly import _options
from libanomaly._errors import ArgumentError, Error, StoppedError, check, check_threshold, check_told, error_of, fail
from libanomaly._modules import is_from
from libanomaly._native import NULL, address, events, ffi, lib
from libanomaly._results import Counters, Silence, Stats, Verdict, as_tuple
from libanomaly._rows import Call, Columns, Verdicts, column_pointer, new_column
from libanomaly._times import to_ns
from libanomaly._values import Names, names_in, number_of, values_of

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from libanomaly._settings import ForestSettings, MahalanobisSettings, PercentileSettings, WatchSettings, ZScoreSettings

DEFAULT_COLUMNS = ("score", "flags")


def check_overdue(status: int) -> None:
    if status == lib.ANOMALY_E_ARG:
        fail(status, "overdue() needs a time")
    check(status, "overdue() needs the option silence")


def as_buffer(data: Any) -> Any:
    """Contiguous bytes as CFFI takes them."""
    return ffi.from_buffer("char[]", data)


def features_in(x: Any, features: int, known: Names = ()) -> Any:
    """One event's values as a double[], for calls that are not in a hurry."""
    values = [number_of(value) for value in values_of(x, known)]
    if len(values) != features:
        raise ValueError(f"x has {len(values)} values, the detector {features} features")
    return ffi.new("double[]", values)


class Explanation:
    """An event, a column for the features' shares, and where it lies."""

    def __init__(self, x: Any, features: int, known: Names) -> None:
        self.event = features_in(x, features, known)
        self.shares = new_column("d", features)
        self.pointer = column_pointer("d", self.shares)
        self._names = known or names_in(x)
        self._pandas = is_from(x, "pandas", "Series", "DataFrame")

    def told(self) -> Any:
        """The shares, with the names of their columns where the event had them."""
        if not self._pandas or not self._names:
            return self.shares
        import pandas

        return pandas.Series(self.shares, list(self._names))


class Files:
    """A file object as the context of the library's sink or source; its exception becomes the cause of ours."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.error: BaseException | None = None
        self.handle = ffi.new_handle(self)

    def check(self, status: int, told: Any = None) -> None:
        if self.error is not None:
            raise StoppedError(f"the file's read() or write() failed: {self.error}") from self.error
        check(status) if told is None else check_told(status, told)


@ffi.def_extern(error=1)  # type: ignore[untyped-decorator, unused-ignore]
def libanomaly_write(ctx: Any, data: Any, size: int) -> int:
    files = ffi.from_handle(ctx)
    try:
        files.file.write(ffi.buffer(data, size)[:])
    except BaseException as error:  # an exception cannot pass through C: it is raised behind it
        files.error = error
        return 1
    return 0


@ffi.def_extern(error=1)  # type: ignore[untyped-decorator, unused-ignore]
def libanomaly_read(ctx: Any, data: Any, size: int, got: Any) -> int:
    files = ffi.from_handle(ctx)
    try:
        chunk = files.file.read(size)
        ffi.memmove(data, chunk, len(chunk))
        got[0] = len(chunk)
    except BaseException as error:
        files.error = error
        return 1
    return 0


class Owner:
    """What detectors and pools share; _events.c calls _fail(), _values() and _ns()."""

    __slots__ = ()
    _by_time: bool
    _cdata: Any
    _names: Any  # as Names

    if TYPE_CHECKING:

        @property
        def features(self) -> int: ...
        def _claim(self, writes: bool, /) -> None: ...
        def _release(self) -> None: ...
        def _adopt(
            self, detector: int, pool: int, features: int, verdict: type[events.Verdict], shared: bool, tells: bool, /
        ) -> None: ...
        def snapshot(self) -> bytes: ...
        @classmethod
        def restore(cls, data: Any) -> Self: ...

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns of the first frame that came in; those of later ones are matched with them. Empty before.

        Pickles and copies keep them, snapshots do not.
        """
        return cast("Names", self._names)

    def __copy__(self) -> Self:
        made = type(self).restore(self.snapshot())
        made._names = self._names
        return made

    def __deepcopy__(self, memo: Any) -> Self:
        return self.__copy__()

    def __reduce__(self) -> Any:
        return (type(self).restore, (self.snapshot(),), self._names or None)

    def __setstate__(self, names: Names) -> None:
        self._names = names

    def close(self) -> None:
        """Frees all its memory now; it is of no use afterwards. Also at the end of a `with` block.

        BusyError while another thread is in a call.
        """
        self._adopt(0, 0, 1, Verdict, False, False)
        self._cdata = NULL

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _fail(self, status: int) -> None:
        if status == lib.ANOMALY_E_ARG and getattr(self, "_by_time", False):
            fail(status, "the window, or another option, needs times: give each event its time")
        fail(status)

    _number = staticmethod(number_of)
    _ns = staticmethod(to_ns)

    def _values(self, x: Any) -> list[Any]:
        return values_of(x, self._names)

    @contextmanager
    def _inside(self, writes: bool) -> Iterator[None]:
        """Keeps other threads out while the interpreter's lock is given back."""
        self._claim(writes)
        try:
            yield
        finally:
            self._release()

    def _read(self, call: Any, struct: str, *more: Any) -> Any:
        """What a call of the library fills."""
        out = ffi.new(struct)
        with self._inside(False):
            check(call(self._cdata, out, *more))
        return out

    def _write(self, call: Any, file: BinaryIO) -> None:
        files = Files(file)
        with self._inside(False):
            status = call(self._cdata, lib.libanomaly_write, files.handle)
        files.check(status)

    def _error_in_rows(self, status: int, call: Call, done: int) -> Error:
        error = error_of(status)
        if isinstance(error, ArgumentError):
            reason = "it has no time, and the window, or another option, needs one" if self._by_time else "bad argument"
            error = ArgumentError(f"row {done}: {reason}")
            error.done, error.verdicts = done, call.verdicts(done)
        return error


class Detector(Owner, events.Detector):
    """A detector for one stream: a window, its statistics, a learning policy and counters.

    Use one of `ZScore`, `Percentile`, `IsolationForest`, `Mahalanobis`, `Watch`. Options are keywords, named as everywhere
    (`libanomaly.options()` lists them): `window="5m"`, `window=1000`, `window=timedelta(minutes=5)`, `window=("5m", 5000)`.

    A detector belongs to one thread at a time: a call that meets another raises `BusyError` and changes nothing. Calls that
    only read (score, stats, ...) may run beside each other. Rows and other long calls give the interpreter's lock back.
    """

    __slots__ = ("__weakref__", "_by_time", "_cdata", "_names")

    KIND: ClassVar[str] = ""

    def __init__(self, **options: Any) -> None:
        if not self.KIND:
            raise TypeError("use ZScore, Percentile, IsolationForest, Mahalanobis or Watch")
        config = _options.config_of(_options.KINDS[self.KIND], options)
        out, told = ffi.new("anomaly_detector **"), ffi.new("anomaly_error *")
        check_told(lib.anomaly_create(config, NULL, out, told), told)
        self._own(out[0], config)
        _options.warn(told, 2)

    def _own(self, detector: Any, config: Any) -> None:
        self._adopt(address(detector), 0, config.features, Verdict, False, False)
        self._cdata = detector
        self._names = ()
        self._by_time = bool(lib.anomaly_needs_times(config))

    # ---- rows ----

    def update_rows(self, values: Any, times: Any = None, columns: Columns = DEFAULT_COLUMNS) -> Verdicts:
        """update() for each row, with the very same verdicts, many times faster.

        values: n numbers (one feature) or n rows of `features` numbers: NumPy arrays of any dtype, stride and order,
        pandas, polars, Arrow, array.array, memoryview, lists. float64 is read where it lies, anything else is copied. None,
        NaN, NA and masked values are missing. The columns of frames are matched by name with those that came before.
        times: n times (datetime64, datetime, ISO text, float seconds, int nanoseconds since 1970), None where the window is
        by count. Where events need times, or the detector is a Watch, and the values are pandas with a DatetimeIndex, that
        is the default.
        columns: those of the verdicts that are wanted: score, threshold, expected, lower, upper, flags, feature, events,
        tail; or "all". `anomaly` comes with flags.

        ArgumentError at a row that has no time: those before it are done, `error.verdicts` has them.
        """
        return self._rows(lib.anomaly_update_rows, values, times, columns, True)

    def score_rows(self, values: Any, times: Any = None, columns: Columns = DEFAULT_COLUMNS) -> Verdicts:
        """score() for each row, against the window as it stands; see update_rows()."""
        return self._rows(lib.anomaly_score_rows, values, times, columns, False)

    def learn_rows(self, values: Any, times: Any = None) -> None:
        """learn() for each row; see update_rows()."""

        def learn(detector: Any, rows: Any, out: Any, done: Any) -> int:
            return cast("int", lib.anomaly_learn_rows(detector, rows, done))

        self._rows(learn, values, times, (), True)

    def _rows(self, function: Any, values: Any, times: Any, columns: Columns, writes: bool) -> Verdicts:
        call = Call(
            values,
            times,
            columns,
            self.features,
            self._by_time or self.KIND in _options.HOURS,
            self._names,
            self.KIND in _options.WHOLE,
        )
        done = ffi.new("size_t *")
        with self._inside(writes):
            status = function(self._cdata, call.rows, call.out, done)
        self._names = self._names or (call.names if done[0] else ())
        if status:
            raise self._error_in_rows(status, call, done[0])
        return call.verdicts()

    # ---- the window ----

    def advance(self, time: Any) -> None:
        """Moves the clock of a time window without an event and forgets what has become too old."""
        with self._inside(True):
            check(lib.anomaly_advance(self._cdata, to_ns(time)), "advance() needs a time")

    def rebuild(self) -> None:
        """Isolation forest: grows every tree anew from the window, e.g. after learn_rows() of a training set."""
        with self._inside(True):
            check(lib.anomaly_rebuild(self._cdata))

    def reserve(self) -> None:
        """Allocates the full window now, as reserve=True does at the beginning: no later call can fail for memory."""
        with self._inside(True):
            check(lib.anomaly_reserve(self._cdata))

    def reset(self) -> None:
        """Forgets every event, the clock and the counters; keeps options, threshold and memory."""
        with self._inside(True):
            lib.anomaly_reset(self._cdata)

    @property
    def threshold(self) -> float:
        """The score from which an event is anomalous; can be set at any time, the window is kept."""
        return float(self._config().threshold)

    @threshold.setter
    def threshold(self, value: float) -> None:
        with self._inside(True):
            check_threshold(lib.anomaly_set_threshold(self._cdata, value), value)

    # ---- questions ----

    def stats(self, feature: int = 0) -> Stats:
        """Statistics of a feature over the window. Cost: proportional to the window.

        With transform or season they are of what the detector sees of the values: logarithms, distances from the usual.

        >>> d = ZScore(window=3, warmup=2)
        >>> d.learn_rows([1, 2, 3, 4])
        >>> d.stats()
        Stats(count=3, mean=3.0, variance=1.0, stddev=1.0, min=2.0, max=4.0)
        """
        out = ffi.new("anomaly_stats *")
        with self._inside(False):
            check(lib.anomaly_window_stats(self._cdata, feature, out), self._no_feature(feature))
        return as_tuple(Stats, out)

    def quantile(self, q: float, feature: int = 0) -> float:
        """The exact q-quantile (0 to 1) of a feature over the window, in the unit of the values.

        With transform or season it is one of what the detector sees of the values, as stats() is.

        KindError where no order is kept (z-score without robust), EmptyError where the window is empty.
        """
        out = ffi.new("double *")
        with self._inside(False):
            status = lib.anomaly_quantile(self._cdata, feature, q, out)
        if status == lib.ANOMALY_E_ARG:
            fail(status, f"q: {q} is not from 0 to 1" if feature < self.features else self._no_feature(feature))
        check(status)
        return float(out[0])

    def _no_feature(self, feature: int) -> str:
        return f"there is no feature {feature}; there are {self.features}"

    def explain(self, x: Any) -> Any:
        """Each feature's share of this event's score. Shape (features,).

        Isolation forest: they sum to the score less .5; Mahalanobis: to the score. Other kinds raise KindError, and so
        do all with season or transform="rate", where a score needs a time.

        x: as for score(); for a row of a pandas frame (`frame.iloc[5]`) the shares are a Series with the columns' names.
        """
        asked = Explanation(x, self.features, self._names)
        with self._inside(False):
            check(lib.anomaly_explain(self._cdata, asked.event, asked.pointer))
        return asked.told()

    def overdue(self, now: Any) -> Silence | None:
        """With the option silence: is an event overdue at that time of the events' own clock? None: not yet, or there were
        too few events to tell. ConfigError without the option.

        >>> from datetime import timedelta
        >>> d = ZScore(silence="3x")
        >>> for minute in range(20):
        ...     verdict = d.update(5, time=timedelta(minutes=minute))
        >>> d.overdue(timedelta(minutes=21)), d.overdue(timedelta(minutes=25)).overdue_ns
        (None, 180000000000)
        """
        out = ffi.new("anomaly_silence *")
        with self._inside(False):
            status = lib.anomaly_overdue(self._cdata, to_ns(now), out)
        if status != lib.ANOMALY_E_EMPTY:
            check_overdue(status)
        return as_tuple(Silence, out) if out.overdue_ns else None

    def counters(self) -> Counters:
        """How often what has happened: why, for instance, nothing was flagged."""
        return as_tuple(Counters, self._read(lib.anomaly_counters, "anomaly_counts *"))

    def _config(self) -> Any:
        return self._read(lib.anomaly_get_config, "anomaly_config *", ffi.sizeof("anomaly_config"))

    @property
    def options(self) -> dict[str, str | int | float]:
        """Every option as it is in force; type(d)(**d.options) is a new detector like this one."""
        return _options.settings_of(self._config())

    @classmethod
    def memory_needed(cls, **options: Any) -> int:
        """Bytes that a detector with these options takes when its window is full."""
        out = ffi.new("size_t *")
        check(lib.anomaly_memory_needed(_options.config_of(_options.KINDS[cls.KIND], options), out))
        return int(out[0])

    # ---- snapshots ----

    def snapshot(self) -> bytes:
        """The detector as bytes, the same on every machine; restore() makes one of them that goes on bit for bit."""
        size = ffi.new("size_t *")
        with self._inside(False):
            check(lib.anomaly_snapshot_size(self._cdata, size))
            buffer = bytearray(size[0])
            check(lib.anomaly_snapshot(self._cdata, ffi.from_buffer(buffer), len(buffer), size))
        return bytes(buffer)

    def snapshot_to(self, file: BinaryIO) -> None:
        """snapshot() to a binary file object, piece by piece, without holding it in memory as a whole."""
        self._write(lib.anomaly_snapshot_write, file)

    @classmethod
    def restore(cls, data: Any) -> Self:
        """A detector from the bytes of snapshot(). Any bytes are safe to give: CorruptError, VersionError."""
        out, told = ffi.new("anomaly_detector **"), ffi.new("anomaly_error *")
        buffer = as_buffer(data)
        check_told(lib.anomaly_restore(buffer, len(buffer), NULL, out, told), told)
        return cast("Self", cls._of(out[0]))

    @classmethod
    def _of(cls, detector: Any) -> Detector:
        """A new object of the right class around a C detector, which it then owns."""
        config = ffi.new("anomaly_config *")
        lib.anomaly_get_config(detector, config, ffi.sizeof("anomaly_config"))
        kind = next(name for name, number in _options.KINDS.items() if number == config.kind)
        right = cls if kind == cls.KIND else CLASSES[kind]
        if not issubclass(right, cls):
            lib.anomaly_destroy(detector)
            raise TypeError(f"the snapshot is one of {right.__name__}, not of {cls.__name__}")
        made = right.__new__(right)
        made._own(detector, config)
        return made

    def __repr__(self) -> str:
        name = type(self).__name__
        if self._cdata == NULL:
            return f"<{name}, closed>"
        counts = self.counters()
        default = _options.settings_of(_options.config_of(_options.KINDS[self.KIND], {}))
        now = self.options
        told = [f"{key}={now[key]!r}" for key in now if now[key] != default[key] or key in ("window", "threshold")]
        return f"<{name}({', '.join(told)}): {counts.events} events, {counts.anomalies} anomalies>"


class ZScore(Detector):
    """|x - mean| / standard deviation of the window; with robust=True |x - median| / (1.4826 MAD).

    >>> d = ZScore(window=100)
    >>> d.learn_rows([50, 51, 52, 53, 54] * 4)
    >>> d.update(95)
    <Verdict is_anomaly|above: score 29.6357, usual 47.6471 to 56.3529>
    """

    __slots__ = ()
    KIND = "zscore"

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[ZScoreSettings]) -> None: ...


class Percentile(Detector):
    """Outside two exact percentiles of the window (`lower`, `upper`: 1 and 99 percent).

    >>> d = Percentile(window=1000)
    >>> d.learn_rows(range(1, 101))
    >>> v = d.score(101)
    >>> v.anomaly, v.lower, v.upper
    (True, 1.99, 99.01)
    """

    __slots__ = ()
    KIND = "percentile"

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[PercentileSettings]) -> None: ...


class IsolationForest(Detector):
    """An isolation forest over the window: judges all features of an event together.

    With `lags=k` by the k newest values of each feature: a usual value at an unusual place is odd.

    >>> d = IsolationForest(features=2, window=256, contamination=0, threshold=0.7)
    >>> d.learn_rows([(i % 16, i // 16) for i in range(256)])
    >>> d.rebuild()
    >>> d.score((8, 8)).anomaly, d.score((90, 90)).anomaly
    (False, True)
    """

    __slots__ = ()
    KIND = "iforest"

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[ForestSettings]) -> None: ...


class Mahalanobis(Detector):
    """The distance of one value's newest stretch, or of an event of several features, in the window's own covariance.

    The score is about 1 for usual events. `lags`: "pyramid" (the default for one value), or how many of the newest values
    count; of several features the newest alone, unless asked. Sees a correlation that breaks though each value is usual:

    >>> d = Mahalanobis(features=2, threshold=1.5)
    >>> d.learn_rows([(i % 10, 2 * (i % 10)) for i in range(200)])
    >>> d.score((8, 16)).anomaly, d.score((8, 2)).anomaly
    (False, True)
    """

    __slots__ = ()
    KIND = "mahalanobis"

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[MahalanobisSettings]) -> None: ...


class Watch(Detector):
    """For one metric of which nothing is known: needs no option, and takes the hour of the day from the times.

    Unless `threshold`, `alarm_rate` or `alarms` says how many events are flagged, it is about one alarm a day, or one in
    10,000 events without times (alarms="auto", rest=150): `verdict.anomaly` says that the event is odd, `Flag.ALARM` that
    somebody is to be told; of one incident once.

    >>> d = Watch()
    >>> d.learn_rows([i % 7 for i in range(500)])
    >>> d.score(3).anomaly, d.score(30).anomaly
    (False, True)
    """

    __slots__ = ()
    KIND = "watch"

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[WatchSettings]) -> None: ...

    else:

        def __init__(self, **options):
            given = {name for name, value in options.items() if value is not None}
            if given.isdisjoint(("threshold", "alarm_rate", "alarms")):
                options["alarms"] = "auto"
                if given.isdisjoint(("rest", "confirm")):
                    options["rest"] = 150
            super().__init__(**options)


CLASSES: dict[str, type[Detector]] = {kind.KIND: kind for kind in (ZScore, Percentile, IsolationForest, Mahalanobis, Watch)}
for _kind in _options.kinds():  # those of the library's kinds that have no class above
    if _kind.name not in CLASSES:
        _name = _kind.name.capitalize()
        _members = {"__slots__": (), "__module__": __name__, "__doc__": _kind.help, "KIND": _kind.name}
        CLASSES[_kind.name] = globals()[_name] = type(_name, (Detector,), _members)


def detector(kind: str, **options: Any) -> Detector:
    """A detector of the kind of that name, one of kinds().

    >>> detector("zscore", window=100)
    <ZScore(window=100, threshold=3): 0 events, 0 anomalies>
    """
    if kind not in CLASSES:
        raise ValueError(f'kind: "{kind}" is none of {", ".join(CLASSES)}')
    return CLASSES[kind](**options)


def watch(values: Any, times: Any = None, columns: Columns = DEFAULT_COLUMNS, **options: Any) -> Verdicts:
    """The verdicts of a new Watch on a series, one after the other: nothing has to be set. With flags & Flag.ALARM somebody
    is to be told: about once a day.

    The hour of the day is taken from `times`, or from the DatetimeIndex of pandas values. Detector.update_rows() says what
    values, times and columns are.

    >>> bool(watch([5] * 100 + [6], threshold=6).anomaly[-1])
    True
    """
    return Watch(**options).update_rows(values, times, columns)
