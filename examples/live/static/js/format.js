// SPDX-License-Identifier: MIT
// How numbers and times are written.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const rough = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });

const extreme = (x) => x !== 0 && (Math.abs(x) >= 1e12 || Math.abs(x) < 1e-6);

export const count = (n) => whole.format(n);

export const some = (n, noun, plural = noun + "s") => `${whole.format(n)} ${n === 1 ? noun : plural}`;

export function number(x) {
    if (x === null || x === undefined) return "none";
    if (typeof x !== "number") return String(x);
    return extreme(x) ? Number(x.toPrecision(6)).toExponential() : short.format(x);
}

export function when(time) {
    const date = new Date(time * 1000);
    if (Number.isNaN(date.getTime())) return "at an unknown time";
    return (day.format(date) === day.format(new Date()) ? "" : day.format(date) + " ") + clock.format(date);
}

// Bounds to a hundredth of their distance: more digits say nothing.
function bounds(lower, upper) {
    const digits = 2 - Math.floor(Math.log10(upper - lower));
    const write = digits >= 0 && digits <= 12 ? (x) => number(Number(x.toFixed(digits))) : number;
    return `usually ${write(lower)} to ${write(upper)}`;
}

export function expected({ lower, upper, odd }) {
    if (lower === null && upper === null) return odd ? "unlike what came before" : "nothing to compare with yet";
    if (lower === null) return `usually up to ${number(upper)}`;
    if (upper === null) return `usually ${number(lower)} or more`;
    return lower === upper ? `always ${number(lower)} before` : bounds(lower, upper);
}

export function distance({ value, lower, upper, score, direction }) {
    const side = upper !== null && value > upper ? "above" : lower !== null && value < lower ? "below" : "";
    if (score === null) return side || direction || "";
    const size = Math.abs(score);
    return `${extreme(size) ? size.toExponential(1) : rough.format(size)} ${side ? "spreads " + side : "spreads away"}`;
}

export function bytes(n) {
    return n < 1e6 ? `${count(Math.ceil(n / 1e3))} kB` : `${(n / 1e6).toFixed(1)} MB`;
}
