// SPDX-License-Identifier: MIT
// Elements are made here and nowhere else: what the server says becomes text, never markup.

export const byId = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (key === "onclick") made.addEventListener("click", value);
        else made.setAttribute(key, value);
    }
    made.append(...children); // strings become text nodes
    return made;
}

// Writes only what has changed: a screen reader would read the same text again.
export function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

// Calls what() once in the next frame, however often it is asked for until then.
export function oncePerFrame(what) {
    let asked = false;
    return () => {
        if (asked) return;
        asked = true;
        requestAnimationFrame(() => {
            asked = false;
            what();
        });
    };
}

export function after(milliseconds, what) {
    // what() once it has been quiet for so long
    let timer = 0;
    return () => {
        clearTimeout(timer);
        timer = setTimeout(what, milliseconds);
    };
}
