// SPDX-License-Identifier: MIT
// The page's script: draws one key at a time, on a canvas, from the thinned series; every text goes in as text.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const $ = id => document.getElementById(id);
  const chart = $('chart'), pen = chart.getContext('2d');
  const ROWS = 300, KEYS = 300;
  let key = null, alarm = null, view = null, all = null, hover = null, drag = null, rowLimit = ROWS;
  let sort = { by: 'at', down: false };

  const make = (name, text, into, type) => {
    const e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    if (type) e.className = type;
    if (into) into.append(e);
    return e;
  };
  const count = n => n.toLocaleString('en');
  const noun = n => n === 1 ? data.noun : data.noun === 'alarm' ? 'alarms' : 'anomalies';
  const short = (x, digits = 5) => x === null || x === undefined ? '–' : String(Number(x.toPrecision(digits)));
  const nameOf = k => k === undefined || k === null ? '' : k.name || 'all rows';
  const two = n => String(n).padStart(2, '0');
  const stamp = ms => {
    if (!data.timed) return 'event ' + count(Math.round(ms) + 1);
    const d = new Date(ms);
    return isNaN(d) ? '–' : d.toISOString().replace('T', ' ').replace(/(:00)?\.000Z$|Z$/, '');
  };

  // ---- the page round the chart ----

  const events = data.keys.reduce((n, k) => n + k.events, data.eventsBeyond);
  const told = data.alarms.length + data.alarmsBeyond;
  const withSome = data.keys.filter(k => k.alarms > 0).length;

  function fillPage() {
    $('title').textContent = data.title;
    document.title = data.title + ': report of anomaly';
    $('found').textContent = events === 0 ? 'No event was read.'
      : told === 0 ? `Nothing out of the ordinary among ${count(events)} events.`
      : `${count(told)} ${noun(told)} among ${count(events)} events`
        + (data.keys.length > 1 ? `, in ${count(withSome)} of ${count(data.keys.length)} keys.` : '.');
    data.understood.forEach(line => make('li', line, $('understood')));
    $('method').textContent = data.method || '–';
    $('summary').textContent = data.summary.join('\n') || '–';
    $('version').textContent = 'Made by anomaly ' + data.version + '. Times are UTC. The page asks nothing of any server.';
    $('listTitle').textContent = data.noun === 'alarm' ? 'Alarms' : 'Anomalies';
    $('previous').setAttribute('aria-label', 'Previous ' + data.noun);
    $('next').setAttribute('aria-label', 'Next ' + data.noun);
    const beyond = [];
    if (data.alarmsBeyond) beyond.push(`${count(data.alarmsBeyond)} more ${noun(data.alarmsBeyond)} came behind these; `
      + 'the charts mark them.');
    if (data.eventsBeyond) beyond.push(`${count(data.eventsBeyond)} events are of keys beyond the `
      + `${count(data.keys.length)} that have a chart.`);
    $('beyond').textContent = beyond.join(' ');
  }

  function fillKeys() {
    const wanted = $('filter').value.toLowerCase(), list = $('keyList');
    const found = data.keys.filter(k => nameOf(k).toLowerCase().includes(wanted)).sort((a, b) => b.alarms - a.alarms);
    list.textContent = '';
    for (const k of found.slice(0, KEYS)) {
      const button = make('button', undefined, make('li', undefined, list));
      button.type = 'button';
      make('span', nameOf(k), button);
      if (k.alarms > 0) make('span', count(k.alarms), button, 'count');
      button.setAttribute('aria-current', String(k === key));
      button.addEventListener('click', () => choose(k, null));
    }
    if (found.length > KEYS) make('li', `${count(found.length - KEYS)} more: filter them`, list);
    if (found.length === 0) make('li', 'none', list);
  }

  // ---- the table ----

  const heads = [['at', data.timed ? 'time' : 'line'], ['score', 'score'], ['text', 'what']];
  const shown = () => {
    const sign = sort.down ? -1 : 1;
    const of = a => sort.by === 'score' && a.score === null ? Infinity : a[sort.by];
    return data.alarms.filter(a => !$('only').checked || data.keys[a.key] === key)
      .map((a, i) => [of(a), i, a]).sort((a, b) => (a[0] < b[0] ? -sign : a[0] > b[0] ? sign : a[1] - b[1])).map(a => a[2]);
  };

  function fillHeads() {
    $('heads').textContent = '';
    for (const [by, name] of heads) {
      const cell = make('th', undefined, $('heads')), on = sort.by === by;
      const button = make('button', name + (on ? (sort.down ? ' ↓' : ' ↑') : ''), cell);
      button.type = 'button';
      cell.setAttribute('aria-sort', on ? (sort.down ? 'descending' : 'ascending') : 'none');
      button.addEventListener('click', () => {
        sort = { by, down: on ? !sort.down : by === 'score' };
        fillHeads();
        fillRows();
        $('heads').children[heads.findIndex(h => h[0] === by)].firstChild.focus();
      });
    }
  }

  function fillRows() {
    const rows = $('rows'), list = shown();
    rows.textContent = '';
    for (const a of list.slice(0, rowLimit)) {
      const row = make('tr', undefined, rows);
      make('td', data.timed && a.time ? stamp(a.at) : 'line ' + a.line, row, 'time').title = `${a.file}, line ${a.line}`;
      make('td', a.score === null ? '∞' : short(a.score, 4), row, 'number');
      make('td', a.text, row, 'text');
      row.tabIndex = 0;
      row.alarm = a;
      row.setAttribute('aria-selected', String(a === alarm));
      row.addEventListener('click', () => choose(data.keys[a.key], a));
      row.addEventListener('keydown', e => {
        const to = e.key === 'ArrowDown' ? row.nextSibling : e.key === 'ArrowUp' ? row.previousSibling : null;
        if (e.key === 'Enter' || e.key === ' ') choose(data.keys[a.key], a);
        else if (to) to.focus();
        else return;
        e.preventDefault();
      });
    }
    if (list.length === 0) make('td', 'none', make('tr', undefined, rows));
    $('more').hidden = list.length <= rowLimit;
    $('more').textContent = `show ${count(Math.min(ROWS, list.length - rowLimit))} more of ${count(list.length)}`;
  }

  function markRow() {
    for (const row of $('rows').children) {
      row.setAttribute('aria-selected', String(row.alarm === alarm && alarm !== null));
      if (row.alarm && row.alarm === alarm) {
        const box = $('scroll'), top = row.offsetTop - box.offsetTop;
        if (top < box.scrollTop + 30 || top + row.offsetHeight > box.scrollTop + box.clientHeight)
          box.scrollTop = top - box.clientHeight / 3;
      }
    }
  }

  // ---- what is looked at ----

  const ofKey = () => data.alarms.filter(a => data.keys[a.key] === key);
  const fromOf = i => key.from[i], toOf = i => (key.to || key.from)[i];

  function choose(k, a) {
    alarm = a;
    if (k && k !== key) {
      key = k;
      let first = Infinity, last = -Infinity;
      for (let i = 0; i < k.from.length; i++) {
        if (k.from[i] === null) continue;
        first = Math.min(first, k.from[i]);
        last = Math.max(last, toOf(i));
      }
      const pad = (last - first) * .02 || 1;
      all = { from: first - pad, to: last + pad, first, last };
      view = { from: all.from, to: all.to };
      $('keyName').textContent = nameOf(k);
      fillKeys();
      if ($('only').checked) fillRows();
    }
    if (a && k && (a.at < view.from || a.at > view.to)) {
      const width = view.to - view.from;
      look(a.at - width / 2, a.at + width / 2);
    }
    markRow();
    tell();
    draw();
  }

  function look(from, to) {
    const most = all.to - all.from, least = Math.max(most * 1e-6, data.timed ? .01 : 4);
    let width = Math.min(most, Math.max(least, to - from));
    from = Math.max(all.from, Math.min(from + (to - from - width) / 2, all.to - width));
    view = { from, to: from + width };
    draw();
  }
  const zoom = (factor, at) => look(at - (at - view.from) * factor, at + (view.to - at) * factor);
  const middle = () => alarm && alarm.at >= view.from && alarm.at <= view.to ? alarm.at : (view.from + view.to) / 2;
  const pan = share => look(view.from + share * (view.to - view.from), view.to + share * (view.to - view.from));

  function step(by) {
    const list = ofKey().sort((a, b) => a.at - b.at);
    if (list.length === 0) return;
    const i = alarm ? list.indexOf(alarm) + by : by > 0 ? 0 : list.length - 1;
    choose(key, list[(i + list.length) % list.length]);
  }

  // What stands under the chart: the bucket below the pointer, or the chosen alarm.
  function tell() {
    if (hover === null) {
      $('under').textContent = alarm ? alarm.text : '';
      return;
    }
    const near = nearest(hover);
    if (near) {
      $('under').textContent = near.text;
      return;
    }
    const i = bucketAt(hover.x);
    if (i < 0) return;
    const low = key.low && key.low[i], high = key.high ? key.high[i] : low, score = key.score && key.score[i];
    const parts = [stamp(fromOf(i)) + (key.each > 1 ? ` and up to ${count(key.each)} events from there` : '')];
    if (!data.together && low !== null && low !== undefined) parts.push(low === high ? short(low) : `${short(low)} to ${short(high)}`);
    if (key.lower && key.lower[i] !== null) parts.push(`usually ${short(key.lower[i])} to ${short(key.upper[i])}`);
    if (score !== null && score !== undefined) parts.push(`score ${short(score)} of ${short(key.threshold[i])}`);
    if (key.odd && key.odd[i]) parts.push(`${count(key.odd[i])} odd`);
    $('under').textContent = parts.join(' · ');
  }

  // ---- drawing ----

  let plot = { left: 0, right: 1, panels: [] };
  const xOf = at => plot.left + (at - view.from) / (view.to - view.from) * (plot.right - plot.left);
  const atOf = x => view.from + (x - plot.left) / (plot.right - plot.left) * (view.to - view.from);

  function bucketAt(x) {
    const at = atOf(x);
    let best = -1, least = Infinity;
    for (let i = 0; i < key.from.length; i++) {
      const away = at < fromOf(i) ? fromOf(i) - at : at > toOf(i) ? at - toOf(i) : 0;
      if (key.from[i] !== null && away < least) { least = away; best = i; }
    }
    return best;
  }
  const nearest = point => {
    let best = null, least = 12;
    for (const a of ofKey()) {
      const away = Math.abs(xOf(a.at) - point.x);
      if (away < least) { least = away; best = a; }
    }
    return best;
  };

  function niceSteps(low, high, about) {
    const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
    const size = [1, 2, 5, 10].find(m => m * power >= raw) * power, steps = [];
    for (let v = Math.ceil(low / size) * size; v <= high && steps.length < 50; v += size) steps.push(Number(v.toPrecision(12)));
    return steps;
  }
  const SPANS = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800,
    21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 15552000, 31536000].map(s => s * 1000);
  function timeSteps(about) {
    if (!data.timed) return niceSteps(view.from + 1, view.to + 1, about).filter(Number.isInteger).map(v => [v - 1, count(v)]);
    const raw = (view.to - view.from) / about, size = SPANS.find(s => s >= raw) || SPANS[SPANS.length - 1], steps = [];
    let day = null;
    for (let v = Math.ceil(view.from / size) * size; v <= view.to && steps.length < 50; v += size) {
      const d = new Date(v);
      if (isNaN(d)) break;
      const date = `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
      let text = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
      if (size < 60000) text += ':' + two(d.getUTCSeconds());
      if (size < 1000) text += '.' + String(d.getUTCMilliseconds()).padStart(3, '0');
      steps.push([v, size >= 86400000 ? date : text, size < 86400000 && date !== day ? date : '']);
      day = date;
    }
    return steps;
  }

  function colours() {
    const style = getComputedStyle(document.documentElement);
    return Object.fromEntries(['back', 'text', 'soft', 'line', 'series', 'band', 'alarm', 'odd', 'focus']
      .map(name => [name, style.getPropertyValue('--' + name).trim()]));
  }

  // The range of y that what is in view needs; scores far above their threshold are drawn by their logarithm.
  function rangeOf(panel) {
    let low = Infinity, high = -Infinity, threshold = 0;
    const take = v => { if (v !== null && v !== undefined) { low = Math.min(low, v); high = Math.max(high, v); } };
    for (let i = 0; i < key.from.length; i++) {
      if (toOf(i) < view.from || fromOf(i) > view.to) continue;
      if (panel.score) {
        take(key.score[i]);
        take(key.threshold[i]);
        threshold = Math.max(threshold, key.threshold[i] || 0);
      } else {
        take(key.low && key.low[i]);
        take(key.high ? key.high[i] : null);
        if (key.lower) { take(key.lower[i]); take(key.upper[i]); }
      }
    }
    if (low > high) { low = 0; high = 1; }
    if (panel.score && threshold > 0 && high > 20 * threshold) {
      panel.log = threshold / 10;
      return [Math.log10(panel.log), Math.log10(high) + .1];
    }
    const pad = (high - low) * .06 || Math.abs(high) * .05 || 1;
    return [panel.score && low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
  }

  function layOut(width, height) {
    const valued = !data.together && key.low, banded = key.lower && !data.together;
    const panels = [];
    if (valued) panels.push({ score: false });
    if (key.score && !(valued && banded)) panels.push({ score: true });
    const room = height - 36, heights = panels.length === 2 ? [room * .62, room * .38 - 18] : [room];
    let top = 16;
    panels.forEach((panel, i) => {
      panel.top = top;
      panel.bottom = top + heights[i] - 16;
      top = panel.bottom + 34;
      [panel.low, panel.high] = rangeOf(panel);
      panel.y = v => panel.bottom - ((panel.log ? Math.log10(Math.max(v, panel.log)) : v) - panel.low)
        / (panel.high - panel.low) * (panel.bottom - panel.top);
    });
    plot = { left: 58, right: width - 10, panels, height };
  }

  function drawAxes(c, panel, last) {
    pen.fillStyle = c.soft;
    pen.strokeStyle = c.line;
    pen.lineWidth = 1;
    pen.textAlign = 'right';
    pen.textBaseline = 'middle';
    const steps = panel.log ? niceSteps(panel.low, panel.high, 3).filter(Number.isInteger).map(v => [10 ** v, short(10 ** v)])
      : niceSteps(panel.low, panel.high, panel.score ? 3 : 5).map(v => [v, short(v)]);
    for (const [v, text] of steps) {
      const y = Math.round(panel.y(v)) + .5;
      pen.beginPath();
      pen.moveTo(plot.left, y);
      pen.lineTo(plot.right, y);
      pen.stroke();
      pen.fillText(text, plot.left - 6, y);
    }
    pen.textAlign = 'left';
    pen.fillText(panel.score ? 'score, and its threshold' : 'value', plot.left, panel.top - 8);
    if (!last) return;
    pen.textAlign = 'center';
    for (const [at, text, day] of timeSteps(Math.max(2, (plot.right - plot.left) / 110))) {
      const x = Math.round(xOf(at)) + .5;
      pen.beginPath();
      pen.moveTo(x, panel.bottom);
      pen.lineTo(x, panel.bottom + 4);
      pen.stroke();
      const inside = t => {
        const half = pen.measureText(t).width / 2;
        return Math.min(Math.max(x, half), plot.right + 10 - half);
      };
      pen.fillText(text, inside(text), panel.bottom + 12);
      if (day) pen.fillText(day, inside(day), panel.bottom + 26);
    }
  }

  // Calls use(x, i) for each bucket in view, and one beyond each side.
  function eachInView(use) {
    const n = key.from.length;
    for (let i = 0; i < n; i++) {
      if (key.from[i] === null || (i + 1 < n && toOf(i + 1) < view.from) || (i > 0 && fromOf(i - 1) > view.to)) continue;
      use(xOf((fromOf(i) + toOf(i)) / 2), i);
    }
  }

  function drawLine(low, high, y, colour, dash) {
    let open = false;
    pen.strokeStyle = colour;
    pen.lineWidth = 1.4;
    pen.setLineDash(dash);
    pen.beginPath();
    eachInView((x, i) => {
      if (low[i] === null || low[i] === undefined) { open = false; return; }
      if (open) pen.lineTo(x, y(low[i])); else pen.moveTo(x, y(low[i]));
      if (high && high[i] !== low[i]) pen.lineTo(x, y(high[i]));
      open = true;
    });
    pen.stroke();
    pen.setLineDash([]);
  }

  function drawBand(c, panel) {
    let run = [];
    const close = () => {
      pen.beginPath();
      run.forEach(([x, i]) => pen.lineTo(x, panel.y(key.upper[i])));
      run.reverse().forEach(([x, i]) => pen.lineTo(x, panel.y(key.lower[i])));
      pen.fill();
      run = [];
    };
    pen.fillStyle = c.band;
    eachInView((x, i) => key.lower[i] === null ? close() : run.push([x, i]));
    close();
  }

  function drawTold(c, panel, last) {
    for (const a of ofKey()) {
      const x = xOf(a.at), to = a.until !== undefined ? xOf(a.until) : x;
      if (to < plot.left - 9 || x > plot.right + 9) continue;
      pen.globalAlpha = .18;
      pen.fillStyle = c.alarm;
      if (to - x > 1) pen.fillRect(x, panel.top, to - x, panel.bottom - panel.top);
      pen.globalAlpha = 1;
      const v = panel.score ? a.score : a.value, y = v === null ? panel.top : panel.y(v);
      pen.beginPath();
      pen.arc(x, Math.max(panel.top, Math.min(y, panel.bottom)), a === alarm ? 6 : 3.6, 0, 7);
      pen.fill();
      if (a !== alarm) continue;
      pen.strokeStyle = c.text;
      pen.lineWidth = 1.5;
      pen.stroke();
    }
    if (last && key.odd) {
      eachInView((x, i) => {
        pen.fillStyle = key.told && key.told[i] ? c.alarm : c.odd;
        if (key.odd[i]) pen.fillRect(Math.round(x) - 1, panel.bottom - 6, 2, 6);
      });
    }
  }

  function draw() {
    if (!key) return;
    const box = chart.getBoundingClientRect(), scale = window.devicePixelRatio || 1, c = colours();
    chart.width = Math.max(1, Math.round(box.width * scale));
    chart.height = Math.max(1, Math.round(box.height * scale));
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.font = '12px system-ui, sans-serif';
    layOut(box.width, box.height);
    plot.panels.forEach((panel, i) => {
      const last = i + 1 === plot.panels.length;
      drawAxes(c, panel, last);
      pen.save();
      pen.beginPath();
      pen.rect(plot.left, panel.top - 7, plot.right - plot.left, panel.bottom - panel.top + 8);
      pen.clip();
      if (panel.score) {
        drawLine(key.score, null, panel.y, c.series, []);
        drawLine(key.threshold, null, panel.y, c.alarm, [5, 4]);
      } else {
        if (key.lower) drawBand(c, panel);
        drawLine(key.low, key.high, panel.y, c.series, []);
      }
      drawTold(c, panel, last);
      pen.restore();
    });
    if (drag && drag.select) {
      pen.globalAlpha = .2;
      pen.fillStyle = c.focus;
      pen.fillRect(Math.min(drag.x, drag.now), 10, Math.abs(drag.now - drag.x), box.height - 46);
      pen.globalAlpha = 1;
    }
    const n = ofKey().length;
    chart.setAttribute('aria-label', `${nameOf(key)}: ${count(key.events)} events from ${stamp(all.first)} to ${stamp(all.last)}, `
      + `${count(n)} ${noun(n)}; shown are ${stamp(Math.max(view.from, all.first))} to `
      + `${stamp(Math.min(view.to, all.last))}. Arrows move, plus and minus zoom, 0 shows all, n and p go to the next and the previous one.`);
    $('legend').textContent = (plot.panels.some(p => !p.score) && key.lower ? 'Blue: the values, and the band of the usual. ' : 'Blue: '
      + (plot.panels.some(p => !p.score) ? 'the values; below, ' : '') + 'the scores, and dashed the threshold. ')
      + `Dots: ${noun(2)}; shaded: how long the episode went on; marks at the bottom: odd events. `
      + (key.each > 1 ? `One point is ${count(key.each)} events, from the least to the largest, however near you zoom; a dot is one event. ` : '')
      + 'Wheel or drag zooms, a double click shows all.';
    for (const id of ['previous', 'next']) $(id).disabled = n === 0;
  }

  // ---- pointer and keyboard ----

  const touches = new Map();
  const place = e => ({ x: e.clientX - chart.getBoundingClientRect().left });

  function pinch() {
    const [a, b] = [...touches.values()];
    const width = Math.max(20, Math.abs(a.x - b.x)), at = (a.x + b.x) / 2;
    if (drag && drag.width) zoom(drag.width / width, atOf(at));
    drag = { width };
  }
  chart.addEventListener('pointerdown', e => {
    chart.setPointerCapture(e.pointerId);
    touches.set(e.pointerId, place(e));
    drag = { x: place(e).x, now: place(e).x, select: e.pointerType === 'mouse' && !e.shiftKey, moved: false };
  });
  chart.addEventListener('pointermove', e => {
    const point = place(e);
    if (touches.has(e.pointerId)) touches.set(e.pointerId, point);
    if (touches.size === 2) {
      pinch();
    } else if (drag && drag.x !== undefined) {
      const by = point.x - drag.now;
      drag.now = point.x;
      drag.moved = drag.moved || Math.abs(point.x - drag.x) > 4;
      if (!drag.select) pan(-by / (plot.right - plot.left));
      draw();
    } else {
      hover = point;
      tell();
    }
  });
  const leave = e => {
    const was = drag;
    touches.delete(e.pointerId);
    drag = null;
    if (e.type === 'pointerup' && was && was.x !== undefined) {
      const a = nearest(place(e));
      if (was.select && was.moved) look(...[atOf(was.x), atOf(was.now)].sort((p, q) => p - q));
      else if (!was.moved && a) choose(key, a);
    }
    draw();
  };
  chart.addEventListener('pointerup', leave);
  chart.addEventListener('pointercancel', leave);
  chart.addEventListener('pointerleave', () => { hover = null; tell(); });
  chart.addEventListener('dblclick', () => look(all.from, all.to));
  chart.addEventListener('wheel', e => {
    e.preventDefault();
    zoom(e.deltaY > 0 ? 1.25 : .8, atOf(place(e).x));
  }, { passive: false });
  const keysOf = {
    ArrowLeft: () => pan(-.1), ArrowRight: () => pan(.1), '+': () => zoom(.8, middle()), '=': () => zoom(.8, middle()),
    '-': () => zoom(1.25, middle()), 0: () => look(all.from, all.to), Home: () => look(all.from, all.to),
    n: () => step(1), p: () => step(-1),
  };
  chart.addEventListener('keydown', e => {
    if (!keysOf[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
    hover = null;
    keysOf[e.key]();
    e.preventDefault();
  });
  $('in').addEventListener('click', () => zoom(.5, middle()));
  $('out').addEventListener('click', () => zoom(2, middle()));
  $('all').addEventListener('click', () => look(all.from, all.to));
  $('next').addEventListener('click', () => step(1));
  $('previous').addEventListener('click', () => step(-1));
  $('filter').addEventListener('input', fillKeys);
  $('only').addEventListener('change', () => { rowLimit = ROWS; fillRows(); });
  $('more').addEventListener('click', () => { rowLimit += ROWS; fillRows(); });
  window.addEventListener('resize', draw);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);

  fillPage();
  fillHeads();
  fillRows();
  if (data.keys.length > 1) {
    document.querySelector('main').classList.add('keyed');
    $('keys').hidden = $('onlyLabel').hidden = false;
  }
  if (data.keys.length > 0) {
    $('picture').hidden = false;
    choose(data.keys.reduce((best, k) => k.alarms > best.alarms ? k : best), null);
  }
})();
