// SPDX-License-Identifier: MIT
// The metric that is shown, and its newest points. It is chosen by a click, by the address of the page, or is the first.

import { GONE, series } from "./api.js";
import * as chart from "./chart.js";
import * as metrics from "./metrics.js";

let metric = new URLSearchParams(location.hash.slice(1)).get("metric");
let next = 0,
    asked = null; // what to ask for, and the question that is under way

export const current = () => metric;

export function select(name) {
    metric = name;
    next = 0;
    asked = null;
    metrics.select(name);
    history.replaceState(null, "", "#" + new URLSearchParams({ metric: name }));
    return follow();
}

export function again() {
    // the whole series anew: the server may be another one
    if (metric !== null) return select(metric);
}

export function follow() {
    if (metric === null) return;
    asked ??= ask(metric);
    return asked;
}

async function ask(name) {
    const answer = await series(name, next);
    if (name !== metric) return; // another one has been chosen meanwhile
    asked = null;
    if (answer === GONE) return leave();
    if (!answer) return;
    document.body.classList.remove("empty"); // at once: a chart that is hidden takes no key
    const missed = answer.next - next !== answer.points.length; // more came than the server keeps: no line across the gap
    if (next === 0 || missed) chart.show(name, answer.points);
    else chart.add(name, answer.points);
    next = answer.next;
}

function leave() {
    // the server has forgotten the metric, or is a new one: whatever comes next is shown
    metric = null;
    metrics.select(null);
    chart.show(null, []);
}
