// SPDX-License-Identifier: MIT
// The chart of one metric: values, what was expected, anomalies. It follows the newest value until somebody zooms.

import { byId, oncePerFrame, setText } from "./dom.js";
import { distance, expected, number, some, when } from "./format.js";

const KEPT = 3000; // points
const HUGE = 1e290; // beyond that, uPlot's axis overflows
const colour = (name) =>
    getComputedStyle(document.documentElement)
        .getPropertyValue("--" + name)
        .trim();

let plot = null,
    name = null,
    points = [],
    zoom = null,
    chosen = null;

const local = (t) => new Date((t - new Date(t * 1000).getTimezoneOffset() * 60) * 1000).toISOString();
const day = (t) => local(t).slice(0, 10);
const drawn = (x) => (x === null ? null : Math.max(-HUGE, Math.min(HUGE, x)));

function columns() {
    return [
        points.map((p) => p.time),
        points.map((p) => drawn(p.lower)),
        points.map((p) => drawn(p.upper)),
        points.map((p) => drawn(p.value)),
        points.map((p) => (p.odd ? drawn(p.value) : null)),
    ];
}

// 24 hours; the day under the first label and where it changes.
function times(_, ticks, axis, space, every) {
    const part = every < 1 ? [11, 23] : every < 60 ? [11, 19] : [11, 16];
    let before = every >= 86400 ? null : day(Date.now() / 1000);
    return ticks.map((t) => {
        const today = day(t),
            text = every >= 86400 ? today : local(t).slice(...part);
        const label = today === before || every >= 86400 ? text : `${text}\n${today}`;
        before = today;
        return label;
    });
}

function options(width, height) {
    const axis = {
        stroke: colour("soft"),
        font: "12px system-ui, sans-serif",
        grid: { stroke: colour("grid"), width: 1 },
        ticks: { show: false },
    };
    const edge = { stroke: colour("edge"), width: 1, points: { show: false } };
    return {
        width,
        height,
        legend: { show: false },
        cursor: {
            y: false,
            drag: { x: true, y: false, setScale: false },
            bind: { dblclick: () => () => follow() },
            points: { size: 9 },
        },
        scales: { x: { time: true }, y: { range: { min: { pad: 0.12 }, max: { pad: 0.12 } } } },
        axes: [
            { ...axis, values: times, space: (_, axis, min, max) => (max - min < 300 ? 70 : 44), size: 44 },
            { ...axis, size: 62, values: (_, ticks) => ticks.map(number) },
        ],
        series: [
            {},
            edge,
            edge,
            { stroke: colour("series"), width: 1.75, points: { size: 4 } },
            {
                paths: () => null,
                cursor: { show: false },
                points: { show: true, size: 11, fill: colour("odd"), stroke: colour("panel"), width: 1.5 },
            },
        ],
        bands: [{ series: [2, 1], fill: colour("band") }],
        hooks: { setSelect: [selected], setCursor: [pointed] },
    };
}

function make() {
    const place = byId("chart");
    if (plot) plot.destroy();
    plot = new uPlot(options(place.clientWidth, place.clientHeight), columns(), place);
    draw();
}

function range() {
    if (zoom) return zoom;
    const first = points.length ? points[0].time : 0,
        last = points.length ? points.at(-1).time : 1;
    return first === last ? [first - 30, last + 30] : [first, last + (last - first) * 0.02];
}

function draw() {
    const [min, max] = range();
    plot.setData(columns(), false);
    plot.setScale("x", { min, max });
    if (chosen) mark();
    tell();
}

const redraw = oncePerFrame(() => plot && draw());

const KEYS_SAID = "Arrow keys go from value to value, n and p from anomaly to anomaly, + and - zoom, 0 follows.";

function summary() {
    if (name === null) return "No metric yet";
    const [min, max] = range(),
        seen = points.filter((p) => p.time >= min && p.time <= max),
        odd = seen.filter((p) => p.odd);
    const span = seen.length ? ` from ${when(seen[0].time)} to ${when(seen.at(-1).time)}` : "";
    return `${name}: ${some(seen.length, "value")}${span}, ${some(odd.length, "anomaly", "anomalies")}. ${KEYS_SAID}`;
}

function tell() {
    byId("chart").setAttribute("aria-label", summary());
    byId("follow").setAttribute("aria-pressed", String(zoom === null));
    for (const id of ["previous", "next"]) byId(id).disabled = !points.some((p) => p.odd);
    if (!chosen) describe(underMouse() ?? points.at(-1), "");
}

const underMouse = () => (plot.cursor.left >= 0 ? points[plot.cursor.idx] : null);

function sentence(point) {
    const far = point.odd && distance(point) ? ": " + distance(point) : "",
        old = point.old ? ", older than this chart" : "";
    return `${number(point.value)} at ${when(point.time)}, ${expected(point)}${far}${old}`;
}

function describe(point, live) {
    const under = byId("under");
    under.setAttribute("aria-live", live || "off"); // spoken when somebody chose the value, not for each that arrives
    setText(under, point ? sentence(point) : "");
}

function pointed(u) {
    // by the mouse
    if (u !== plot || !u.cursor.event) return;
    chosen = null;
    describe(underMouse() ?? points.at(-1), "");
}

function selected(u) {
    const { left, width } = u.select;
    if (width < 4) return;
    zoomTo(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
}

function zoomTo(min, max) {
    const least = 1e-3; // a millisecond
    if (!(max - min >= least)) return;
    zoom = [min, max];
    redraw();
}

function zoomBy(factor) {
    if (points.length === 0) return;
    const [min, max] = range(),
        middle = chosen ? chosen.time : (min + max) / 2,
        half = ((max - min) * factor) / 2;
    zoomTo(middle - half, middle + half);
}

function follow() {
    zoom = chosen = null;
    plot.setCursor({ left: -10, top: -10 }, false);
    redraw();
}

function choose(point) {
    if (!point) return;
    chosen = point;
    const [min, max] = range();
    if (point.time < min || point.time > max) zoom = [point.time - (max - min) / 2, point.time + (max - min) / 2];
    redraw();
    describe(point, "polite");
}

function mark() {
    if (!chosen.old)
        plot.setCursor(
            { left: plot.valToPos(chosen.time, "x"), top: plot.valToPos(drawn(chosen.value), "y") },
            false,
        );
}

const place = () => (points.includes(chosen) ? points.indexOf(chosen) : points.length); // none: behind the newest

function step(by) {
    choose(points[Math.max(0, Math.min(points.length - 1, place() + by))]);
}

function stepOdd(by) {
    // behind the last comes the first
    const from = place(),
        odd = (p) => p.odd;
    if (by > 0) choose(points.slice(from + 1).find(odd) ?? points.find(odd));
    else choose(points.slice(0, from).findLast(odd) ?? points.findLast(odd));
}

export function show(metric, list) {
    // another metric, or the same anew
    if (metric !== name) zoom = chosen = null;
    name = metric;
    points = [];
    setText(byId("chartTitle"), metric ?? "No metric yet");
    add(metric, list);
    redraw();
}

export function add(metric, list) {
    if (metric !== name) return;
    const last = points.at(-1);
    points.push(...list);
    if (list.some((p, i) => p.time < (i ? list[i - 1] : (last ?? p)).time)) points.sort((a, b) => a.time - b.time);
    if (points.length > KEPT) points.splice(0, points.length - KEPT);
    if (chosen && !points.includes(chosen)) chosen = same(chosen) ?? { ...chosen, old: true };
    redraw();
}

const same = ({ time, value }) => points.findLast((p) => p.time === time && p.value === value);

export function chooseAnomaly(anomaly) {
    // of the list, which reaches further back than the points
    const point = same(anomaly);
    if (point) choose(Object.assign(point, { score: anomaly.score, direction: anomaly.direction }));
    else describe((chosen = { ...anomaly, old: true }), "polite");
}

const KEYS = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => choose(points[0]),
    End: () => choose(points.at(-1)),
    n: () => stepOdd(1),
    p: () => stepOdd(-1),
    "+": () => zoomBy(0.5),
    "=": () => zoomBy(0.5),
    "-": () => zoomBy(2),
    0: follow,
};

export function start() {
    const place = byId("chart");
    place.addEventListener("keydown", (event) => {
        const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
        if (!act) return;
        event.preventDefault();
        act();
    });
    byId("previous").addEventListener("click", () => stepOdd(-1));
    byId("next").addEventListener("click", () => stepOdd(1));
    byId("in").addEventListener("click", () => zoomBy(0.5));
    byId("out").addEventListener("click", () => zoomBy(2));
    byId("follow").addEventListener("click", follow);
    new ResizeObserver(() => plot && plot.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(
        place,
    );
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", make);
    make();
}
