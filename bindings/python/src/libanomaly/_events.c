/* SPDX-License-Identifier: MIT _events.c - one event at a time, where the cost of a call is felt: the types below keep
 * the pointers, take an event from plain Python objects and answer with a verdict, in about 60 ns more than the
 * library itself. (The same through CFFI and a Python class took 300 ns.) Everything else is CFFI, in the same shared
 * object: _native.py loads both modules from it.
 *
 * Threads: these calls keep the interpreter lock. The long calls, made through CFFI, give it back; around them Python
 * claims the object, so that `claims`, only touched under the lock, tells who is inside. Whoever meets a claim gets an
 * error, never a broken detector.
 *
 * Stable ABI of Python 3.9. What is rare or slow (odd types, errors) is done by methods of the Python classes derived
 * from these: _values(x), _number(value), _ns(time), _key(key), _fail(status).
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "anomaly.h"

#include <math.h>

#ifndef METH_FASTCALL /* in the stable ABI since 3.10; in 3.9 it is the same call under the same number */
#define METH_FASTCALL 0x0080
#endif

enum { FEW_FEATURES = 64, BUSY = 1, BAD_KEY = 2, CLOSED = 3 };
#define LEAST_NS INT64_C(100000000000000000) /* as in _times.py */

typedef PyObject *(*fast_call)(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
#define FAST_METHOD(name, call, text)                                                           \
    {                                                                                           \
        name, (PyCFunction)(void (*)(void))(fast_call)call, METH_FASTCALL | METH_KEYWORDS, text \
    }

static void free_object(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* ---- Verdict ---- */

typedef struct verdict_object {
    PyObject_HEAD anomaly_verdict v;
} verdict_object;

static PyObject *verdict_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *keywords[] = {"score", "threshold", "expected", "lower", "upper",
                               "flags", "feature",   "events",   "tail",  NULL};
    anomaly_verdict v;
    unsigned long long events = 0;
    unsigned int flags = 0, feature = 0;
    if (!PyArg_ParseTupleAndKeywords(args, names, "dddddIIKd", keywords, &v.score, &v.threshold, &v.expected, &v.lower,
                                     &v.upper, &flags, &feature, &events, &v.tail))
        return NULL;
    v.flags = flags;
    v.feature = feature;
    v.events = events;
    verdict_object *self = (verdict_object *)PyType_GenericAlloc(type, 0);
    if (self)
        self->v = v;
    return (PyObject *)self;
}

static PyObject *verdict_anomaly(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(((verdict_object *)self)->v.flags & ANOMALY_IS_ANOMALY);
}

#define VERDICT_MEMBER(name, type, text)                              \
    {                                                                 \
#name, type, offsetof(verdict_object, v.name), READONLY, text \
    }
static PyMemberDef verdict_members[] = {
    VERDICT_MEMBER(score, T_DOUBLE, "how strange; larger is stranger, NaN where undefined"),
    VERDICT_MEMBER(threshold, T_DOUBLE, "what the score was compared with"),
    VERDICT_MEMBER(expected, T_DOUBLE, "mean or median of the feature, in the unit of the values"),
    VERDICT_MEMBER(lower, T_DOUBLE, "lower bound, in the unit of the values"),
    VERDICT_MEMBER(upper, T_DOUBLE, "upper bound, in the unit of the values"),
    VERDICT_MEMBER(flags, T_UINT, "bits of libanomaly.Flag, as an int"),
    VERDICT_MEMBER(feature, T_UINT, "index of the feature with the largest score"),
    VERDICT_MEMBER(events, T_ULONGLONG, "values of that feature that the verdict rests on"),
    VERDICT_MEMBER(tail, T_DOUBLE, "with alarm_rate or alarms: the chance of such a score or a larger one; else NaN"),
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef verdict_properties[] = {
    {"anomaly", verdict_anomaly, NULL, "whether the event is anomalous", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot verdict_slots[] = {
    {Py_tp_new, (void *)verdict_new},
    {Py_tp_dealloc, (void *)free_object},
    {Py_tp_members, verdict_members},
    {Py_tp_getset, verdict_properties},
    {0, NULL},
};

static PyType_Spec verdict_spec = {"libanomaly._events.Verdict", sizeof(verdict_object), 0,
                                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, verdict_slots};

/* ---- what a detector and a pool have in common ---- */

typedef struct owner {
    PyObject_HEAD anomaly_detector *detector; /* one of the two */
    anomaly_pool *pool;
    PyTypeObject *verdict_type;
    uint32_t features;
    int claims;           /* long calls under way: how many that read, or -1 for one that changes */
    int shared;           /* a pool with locks: calls that change it may run beside each other */
    int tells;            /* _tell() is called after each event */
    PyTypeObject *plain;  /* a type of arrays that has been seen to hide no values behind a mask */
    PyTypeObject *number; /* a type of which a number has been seen, NumPy's float32 for instance */
} owner;

static void owner_free(PyObject *object)
{
    owner *self = (owner *)object;
    anomaly_destroy(self->detector);
    anomaly_pool_destroy(self->pool);
    Py_XDECREF((PyObject *)self->verdict_type);
    Py_XDECREF((PyObject *)self->plain);
    Py_XDECREF((PyObject *)self->number);
    free_object(object);
}

/* Raises what the Python class makes of the status. */
static PyObject *fail(owner *self, int status)
{
    PyObject *nothing = PyObject_CallMethod((PyObject *)self, "_fail", "i", status);
    if (nothing) {
        Py_DECREF(nothing);
        PyErr_SetString(PyExc_SystemError, "_fail() did not raise");
    }
    return NULL;
}

/* A pool with locks sees to itself: there only who closes it keeps others out, with _adopt(). */
static int blocked(const owner *self, int writes)
{
    return writes && !self->shared ? self->claims != 0 : self->claims < 0;
}

static PyObject *owner_claim(PyObject *object, PyObject *writes)
{
    owner *self = (owner *)object;
    int writing = PyObject_IsTrue(writes);
    if (writing < 0)
        return NULL;
    if (!self->detector && !self->pool)
        return fail(self, CLOSED);
    if (blocked(self, writing))
        return fail(self, BUSY);
    self->claims += writing && !self->shared ? -1 : 1;
    Py_RETURN_NONE;
}

static PyObject *owner_release(PyObject *object, PyObject *nothing)
{
    owner *self = (owner *)object;
    (void)nothing;
    self->claims += self->claims < 0 ? 1 : self->claims > 0 ? -1 : 0;
    Py_RETURN_NONE;
}

/* _adopt(detector, pool, features, Verdict, shared, tells): from now on owns what the addresses (0: none) point at. */
static PyObject *owner_adopt(PyObject *object, PyObject *args)
{
    owner *self = (owner *)object;
    unsigned long long detector = 0, pool = 0;
    unsigned int features = 0;
    int shared = 0, tells = 0;
    PyObject *type = NULL;
    if (!PyArg_ParseTuple(args, "KKIO!pp", &detector, &pool, &features, &PyType_Type, &type, &shared, &tells))
        return NULL;
    if (self->claims != 0)
        return fail(self, BUSY);
    anomaly_destroy(self->detector);
    anomaly_pool_destroy(self->pool);
    self->detector = (anomaly_detector *)(uintptr_t)detector;
    self->pool = (anomaly_pool *)(uintptr_t)pool;
    self->features = features;
    self->shared = shared;
    self->tells = tells;
    Py_INCREF(type);
    Py_XDECREF((PyObject *)self->verdict_type);
    self->verdict_type = (PyTypeObject *)type;
    Py_RETURN_NONE;
}

/* ---- an event out of Python objects ---- */

typedef struct event {
    double few[FEW_FEATURES], *x;
    int64_t t;
} event;

static void remember(PyTypeObject **place, PyObject *object)
{
    Py_XDECREF((PyObject *)*place);
    *place = Py_TYPE(object);
    Py_INCREF((PyObject *)*place);
}

/* NA is missing, and a date is no number, although NumPy makes one of it. */
static int read_odd_number(owner *self, PyObject *from, double *to)
{
    PyObject *number = PyObject_CallMethod((PyObject *)self, "_number", "(O)", from);
    *to = number ? PyFloat_AsDouble(number) : -1;
    Py_XDECREF(number);
    if (*to == *to && !PySequence_Check(from) && !PyErr_Occurred())
        remember(&self->number, from);
    return *to != -1 || !PyErr_Occurred();
}

static int read_number(owner *self, PyObject *from, double *to)
{
    if (from == Py_None) {
        *to = NAN;
        return 1;
    }
    if (!PyFloat_Check(from) && !PyLong_Check(from) && Py_TYPE(from) != self->number)
        return read_odd_number(self, from, to);
    *to = PyFloat_AsDouble(from);
    return *to != -1 || !PyErr_Occurred();
}

static int read_items(owner *self, PyObject *from, double *x)
{
    int is_list = PyList_Check(from);
    Py_ssize_t count = is_list ? PyList_Size(from) : PyTuple_Size(from);
    if (count != (Py_ssize_t)self->features) {
        PyErr_Format(PyExc_ValueError, "x has %zd values, the detector %u features", count, self->features);
        return 0;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = is_list ? PyList_GetItem(from, i) : PyTuple_GetItem(from, i);
        Py_XINCREF(item);
        int fine = item && read_number(self, item, x + i);
        Py_XDECREF(item);
        if (!fine)
            return 0;
    }
    return 1;
}

/* The buffer of an array with a mask holds what is masked, too; that of a NumPy date its bytes. */
static int is_plain(owner *self, PyObject *from)
{
    if (Py_TYPE(from) == self->plain)
        return 1;
    if (PyBytes_Check(from) || !PySequence_Check(from) || PyObject_HasAttrString(from, "mask"))
        return 0;
    remember(&self->plain, from);
    return 1;
}

/* Arrays by way of the buffer protocol, whose own calls are not in the stable ABI before 3.11. */
static PyObject *listed(owner *self, PyObject *from)
{
    PyObject *view = is_plain(self, from) ? PyMemoryView_FromObject(from) : NULL;
    PyObject *list = view ? PyObject_CallMethod(view, "tolist", NULL) : NULL;
    Py_XDECREF(view);
    if (list && PyList_Check(list))
        return list;
    Py_XDECREF(list);
    PyErr_Clear();
    return PyObject_CallMethod((PyObject *)self, "_values", "(O)", from);
}

static int read_values(owner *self, PyObject *from, event *e)
{
    e->x = e->few;
    if (self->features == 1 && (PyFloat_Check(from) || PyLong_Check(from) || Py_TYPE(from) == self->number))
        return read_number(self, from, e->x);
    if (self->features > FEW_FEATURES && !(e->x = PyMem_Malloc(self->features * sizeof *e->x))) {
        PyErr_NoMemory();
        return 0;
    }
    if (PyList_Check(from) || PyTuple_Check(from))
        return read_items(self, from, e->x);
    PyObject *list = listed(self, from);
    int fine = list && PyList_Check(list) && read_items(self, list, e->x);
    Py_XDECREF(list);
    return fine;
}

static int read_time(owner *self, PyObject *from, int64_t *t)
{
    *t = ANOMALY_NO_TIME;
    if (!from || from == Py_None)
        return 1;
    if (PyLong_Check(from)) {
        int beyond = 0;
        *t = PyLong_AsLongLongAndOverflow(from, &beyond);
        if (!beyond && *t >= LEAST_NS)
            return 1;
    }
    if (PyFloat_Check(from)) {
        double ns = PyFloat_AsDouble(from) * 1e9;
        if (ns > -0x1p63 && ns < 0x1p63) {
            *t = (int64_t)rint(ns);
            return 1;
        }
    }
    PyObject *ns = PyObject_CallMethod((PyObject *)self, "_ns", "(O)", from);
    *t = ns ? PyLong_AsLongLong(ns) : -1;
    Py_XDECREF(ns);
    return *t != -1 || !PyErr_Occurred();
}

static void forget(event *e)
{
    if (e->x != e->few)
        PyMem_Free(e->x);
}

/* `given`: x and time, or NULL. */
static int read_event(owner *self, PyObject *const *given, event *e)
{
    if (read_values(self, given[0], e) && read_time(self, given[1], &e->t))
        return 1;
    forget(e);
    return 0;
}

/* Sorts positional and named arguments into `given`, in the order of `names`, of which the last (time) may be left
 * out. */
static int read_arguments(PyObject *const *args, Py_ssize_t count, PyObject *named, const char *const *names,
                          Py_ssize_t most, PyObject **given)
{
    Py_ssize_t more = named ? PyTuple_Size(named) : 0;
    for (Py_ssize_t i = 0; i < most; i++)
        given[i] = i < count ? args[i] : NULL;
    if (count > most) {
        PyErr_Format(PyExc_TypeError, "takes at most %zd arguments, %zd were given", most, count);
        return 0;
    }
    for (Py_ssize_t i = 0; i < more; i++) {
        PyObject *name = PyTuple_GetItem(named, i);
        Py_ssize_t at = 0;
        while (at < most && PyUnicode_CompareWithASCIIString(name, names[at]) != 0)
            at++;
        if (at == most || given[at]) {
            PyErr_Format(PyExc_TypeError, "argument %R is %s", name, at == most ? "not known" : "given twice");
            return 0;
        }
        given[at] = args[count + i];
    }
    for (Py_ssize_t i = 0; i < most - 1; i++) {
        if (!given[i]) {
            PyErr_Format(PyExc_TypeError, "argument '%s' is missing", names[i]);
            return 0;
        }
    }
    return 1;
}

static verdict_object *new_verdict(owner *self)
{
    if (!self->detector && !self->pool)
        return (verdict_object *)fail(self, CLOSED);
    return (verdict_object *)PyType_GenericAlloc(self->verdict_type, 0);
}

static PyObject *answer(owner *self, verdict_object *verdict, int status)
{
    if (status == ANOMALY_OK)
        return (PyObject *)verdict;
    Py_DECREF((PyObject *)verdict);
    return fail(self, status);
}

static PyObject *answer_and_tell(owner *self, verdict_object *verdict, int status)
{
    PyObject *result = answer(self, verdict, status);
    PyObject *told = result && self->tells ? PyObject_CallMethod((PyObject *)self, "_tell", NULL) : result;
    if (told == result)
        return result;
    Py_XDECREF(told ? told : result);
    return told ? result : NULL;
}

/* ---- Detector ---- */

static const char *const EVENT_NAMES[] = {"x", "time"};

static inline PyObject *judge(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names, int learns)
{
    owner *self = (owner *)object;
    PyObject *given[2];
    event e;
    if (!read_arguments(args, count, names, EVENT_NAMES, 2, given) || !read_event(self, given, &e))
        return NULL;
    verdict_object *verdict = new_verdict(self);
    int status = ANOMALY_OK;
    if (blocked(self, learns))
        status = BUSY;
    else if (verdict)
        status = learns ? anomaly_update(self->detector, e.x, e.t, &verdict->v)
                        : anomaly_score(self->detector, e.x, e.t, &verdict->v);
    forget(&e);
    return verdict ? answer(self, verdict, status) : NULL;
}

static PyObject *detector_update(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return judge(object, args, count, names, 1);
}

static PyObject *detector_score(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return judge(object, args, count, names, 0);
}

static PyObject *detector_learn(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    owner *self = (owner *)object;
    PyObject *given[2];
    event e;
    if (!read_arguments(args, count, names, EVENT_NAMES, 2, given) || !read_event(self, given, &e))
        return NULL;
    int status = !self->detector ? CLOSED : blocked(self, 1) ? BUSY : anomaly_learn(self->detector, e.x, e.t);
    forget(&e);
    if (status != ANOMALY_OK)
        return fail(self, status);
    Py_RETURN_NONE;
}

#define OWNER_METHODS                                                                                 \
    {"_claim", owner_claim, METH_O, "Claims the object for a long call; True: one that changes it."}, \
        {"_release", owner_release, METH_NOARGS, "Ends what _claim began."},                          \
    {                                                                                                 \
        "_adopt", owner_adopt, METH_VARARGS, "Takes over what the addresses point at."                \
    }

#define EVENT_TEXT                                                                                 \
    "\n\nx: a number, or a sequence of `features` numbers; None, NaN and NA are missing values.\n" \
    "time: datetime, ISO text, float seconds, int nanoseconds; None where the window is by count."

static PyMethodDef detector_methods[] = {
    OWNER_METHODS,
    FAST_METHOD("update", detector_update,
                "update($self, x, time=None)\n--\n\n"
                "Judges the event against the window without it, then learns it." EVENT_TEXT),
    FAST_METHOD("score", detector_score,
                "score($self, x, time=None)\n--\n\n"
                "Judges an event against the window as it stands and moves nothing." EVENT_TEXT),
    FAST_METHOD("learn", detector_learn,
                "learn($self, x, time=None)\n--\n\n"
                "Learns an event without judging it." EVENT_TEXT),
    {NULL, NULL, 0, NULL},
};

static PyMemberDef detector_members[] = {
    {"features", T_UINT, offsetof(owner, features), READONLY, "values per event"},
    {"_detector", T_ULONGLONG, offsetof(owner, detector), READONLY, "address"},
    {"_pool", T_ULONGLONG, offsetof(owner, pool), READONLY, "address"},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot detector_slots[] = {
    {Py_tp_dealloc, (void *)owner_free},
    {Py_tp_methods, detector_methods},
    {Py_tp_members, detector_members},
    {0, NULL},
};

static PyType_Spec detector_spec = {"libanomaly._events.Detector", sizeof(owner), 0,
                                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, detector_slots};

/* ---- Pool ---- */

/* A key's bytes; the reference keeps them. */
static PyObject *key_of(owner *self, PyObject *key)
{
    if (PyUnicode_Check(key))
        return PyUnicode_AsUTF8String(key);
    if (!PyBytes_Check(key))
        return PyObject_CallMethod((PyObject *)self, "_key", "(O)", key);
    Py_INCREF(key);
    return key;
}

static int update_key(owner *self, PyObject *key, const event *e, anomaly_verdict *v)
{
    char *text;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(key, &text, &size) < 0)
        return BAD_KEY;
    if (size < 1 || size > 65535)
        return BAD_KEY;
    return anomaly_pool_update(self->pool, text, (size_t)size, e->x, e->t, v);
}

static PyObject *pool_update(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const char *const NAMES[] = {"key", "x", "time"};
    owner *self = (owner *)object;
    PyObject *given[3];
    event e;
    if (!read_arguments(args, count, names, NAMES, 3, given) || !read_event(self, given + 1, &e))
        return NULL;
    PyObject *key = key_of(self, given[0]);
    verdict_object *verdict = key ? new_verdict(self) : NULL;
    int status = blocked(self, 1) ? BUSY : verdict ? update_key(self, key, &e, &verdict->v) : 0;
    forget(&e);
    Py_XDECREF(key);
    return verdict ? answer_and_tell(self, verdict, status) : NULL;
}

static PyObject *pool_update_at(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const char *const NAMES[] = {"slot", "x", "time"};
    owner *self = (owner *)object;
    PyObject *given[3];
    event e;
    if (!read_arguments(args, count, names, NAMES, 3, given))
        return NULL;
    unsigned long long slot = PyLong_AsUnsignedLongLong(given[0]);
    if ((slot == (unsigned long long)-1 && PyErr_Occurred()) || !read_event(self, given + 1, &e))
        return NULL;
    verdict_object *verdict = new_verdict(self);
    int status = blocked(self, 1) ? BUSY : verdict ? anomaly_pool_update_at(self->pool, slot, e.x, e.t, &verdict->v) : 0;
    forget(&e);
    return verdict ? answer_and_tell(self, verdict, status) : NULL;
}

static PyMethodDef pool_methods[] = {
    OWNER_METHODS,
    FAST_METHOD(
        "update", pool_update,
        "update($self, key, x, time=None)\n--\n\n"
        "Judges an event against its key's window, then learns it; a new key is made.\n\n"
        "key: str (its UTF-8 bytes) or bytes, 1 to 65535 bytes; an int, or a tuple of str, int and tuples." EVENT_TEXT),
    FAST_METHOD("update_at", pool_update_at,
                "update_at($self, slot, x, time=None)\n--\n\n"
                "update() by the slot of a key, which spares the look-up." EVENT_TEXT),
    {NULL, NULL, 0, NULL},
};

static PyType_Slot pool_slots[] = {
    {Py_tp_dealloc, (void *)owner_free},
    {Py_tp_methods, pool_methods},
    {Py_tp_members, detector_members},
    {0, NULL},
};

static PyType_Spec pool_spec = {"libanomaly._events.Pool", sizeof(owner), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                pool_slots};

/* ---- the module ---- */

static int add_type(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpec(spec);
    if (!type)
        return -1;
    if (PyModule_AddObject(module, name, type) == 0)
        return 0;
    Py_DECREF(type);
    return -1;
}

static int execute(PyObject *module)
{
    if (add_type(module, "Verdict", &verdict_spec) < 0 || add_type(module, "Detector", &detector_spec) < 0)
        return -1;
    return add_type(module, "Pool", &pool_spec);
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, (void *)execute}, {0, NULL}};
static struct PyModuleDef module_definition = {PyModuleDef_HEAD_INIT, "_events", NULL, 0,   NULL,
                                               module_slots,          NULL,      NULL, NULL};

PyMODINIT_FUNC PyInit__events(void);
PyMODINIT_FUNC PyInit__events(void)
{
    return PyModuleDef_Init(&module_definition);
}
