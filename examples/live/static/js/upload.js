// SPDX-License-Identifier: MIT
// Files: chosen or dropped, sent two at a time, each with its progress and with what the server made of it.

import { send } from "./api.js";
import { byId, element, setText } from "./dom.js";
import { bytes, count } from "./format.js";

const AT_ONCE = 2,
    KEPT = 50,
    ERRORS_SHOWN = 100;
const waiting = [];
let sending = 0,
    news = () => {};

export function add(files) {
    for (const file of files) {
        const row = show(file);
        waiting.push([file, row]);
    }
    next();
}

function show(file) {
    const list = byId("uploads"),
        state = element("span", { class: "state" }, "waiting");
    const progress = element("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
    const item = element("li", {}, element("span", { class: "name" }, file.name), state, progress);
    list.prepend(item);
    while (list.children.length > KEPT && list.lastChild.classList.length > 0) list.lastChild.remove();
    return { item, state, progress };
}

async function next() {
    if (sending >= AT_ONCE || waiting.length === 0) return;
    sending++;
    const [file, row] = waiting.shift();
    next();
    await upload(file, row);
    sending--;
    next();
}

async function upload(file, row) {
    for (;;) {
        const answer = await send(file, (part) => {
            row.progress.value = part;
            setText(row.state, part < 1 ? `${Math.floor(100 * part)} % of ${bytes(file.size)}` : "judging");
        });
        if (answer.status !== 429) return finish(file, row, answer);
        await pause(row, answer.retryAfter);
    }
}

async function pause(row, seconds) {
    for (let left = Math.max(1, Math.ceil(seconds)); left > 0; left--) {
        setText(row.state, `server is busy, again in ${left} s`);
        await new Promise((done) => setTimeout(done, 1000));
    }
}

function place(file, row) {
    if (!row) return ""; // the file as a whole
    return `${/\.json$/i.test(file.name) ? "event" : "line"} ${row}: `;
}

function finish(file, row, { accepted, rejected, errors, reason }) {
    row.progress.remove();
    row.item.className = reason || rejected ? "bad" : "done";
    const result = reason
        ? "refused"
        : `${count(accepted)} accepted` + (rejected ? `, ${count(rejected)} rejected` : "");
    setText(row.state, result);
    const lines = reason ? [reason] : errors.map((e) => place(file, e.row) + e.error);
    if (reason) row.item.append(element("p", { class: "why" }, reason));
    else if (rejected > 0) row.item.append(details(lines, rejected - errors.length));
    byId("uploadNews").textContent = `${file.name}: ${result}. ${lines.slice(0, 3).join(". ")}`;
    news();
}

function details(lines, unnamed) {
    const list = element(
        "ul",
        { class: "errors" },
        ...lines.slice(0, ERRORS_SHOWN).map((line) => element("li", {}, line)),
    );
    const more = Math.max(0, unnamed) + Math.max(0, lines.length - ERRORS_SHOWN);
    if (more > 0) list.append(element("li", {}, `and ${count(more)} more`));
    const folded = element("details", {}, element("summary", {}, "Which, and why"), list);
    folded.open = lines.length <= 5;
    return folded;
}

export function start(afterwards) {
    news = afterwards;
    const input = byId("file"),
        veil = byId("veil");
    let depth = 0; // dragenter and dragleave come for every element inside
    const files = (event) => event.dataTransfer && event.dataTransfer.types.includes("Files");
    const over = (change) => (veil.hidden = (depth = Math.max(0, depth + change)) === 0);
    input.addEventListener("change", () => {
        add(input.files);
        input.value = ""; // so that the same file can be chosen again
    });
    window.addEventListener("dragenter", (event) => files(event) && over(1));
    window.addEventListener("dragleave", (event) => files(event) && over(-1));
    window.addEventListener("dragover", (event) => files(event) && event.preventDefault());
    window.addEventListener("drop", (event) => {
        if (!files(event)) return;
        event.preventDefault();
        over(-depth);
        add(event.dataTransfer.files);
    });
}
