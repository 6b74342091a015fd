// Looks closer: zoom, pan and values under the pointer. Without it the page shows the whole.
(() => {
  const groups = JSON.parse(document.getElementById("values").textContent);
  const COLUMNS = 1000, ROOM = 0.06, SEEN_PX = 2.5, STEPS_SEEN = 2000, LEAST_MS = 0.05, GAP = NaN;
  const MINUS = "\u2212", DAY = 864e5, MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
  const n = (v) => String(Math.round(clamp(v, -2000, 3000) * 100) / 100);

  // Numbers of seven bits a byte, as hft.reports.track writes them.
  function numbers(text) {
    const bytes = atob(text), out = [];
    for (let k = 0, value = 0, scale = 1; k < bytes.length; k++) {
      const byte = bytes.charCodeAt(k);
      value += (byte & 127) * scale;
      if (byte & 128) { scale *= 128; } else { out.push(value); value = 0; scale = 1; }
    }
    return out;
  }
  const signed = (v) => v % 2 ? -(v + 1) / 2 : v / 2;

  // A track: time in ms since the start, lowest, highest and last value of each step.
  function unpack(one) {
    const raw = numbers(one.d), SMALL = 11, at = [], low = [], high = [], last = [];
    for (let k = 0, step = 0, value = 0; k < raw.length;) {
      const first = raw[k++], code = Math.floor(first / 2);
      step += first % 2 ? raw[k++] : 1;
      const both = raw[k++], small = both < SMALL * SMALL;
      const a = small ? Math.floor(both / SMALL) : both - SMALL * SMALL, b = small ? both % SMALL : raw[k++];
      at.push((step * one.step - one.off) / 1e6);
      if (code) {
        value += signed(code - 1);
        low.push((value - a) * one.unit); high.push((value + b) * one.unit); last.push(value * one.unit);
      } else {
        const least = value + signed(a - 1);
        low.push(a ? least * one.unit : GAP); high.push(a ? (least + b) * one.unit : GAP); last.push(GAP);
      }
    }
    return {...one, at, low, high, last};
  }

  function unpackMoments(one) {
    const raw = numbers(one.d), size = raw.length / 3;
    const at = new Float64Array(size), values = new Float64Array(size), lots = new Float64Array(size);
    for (let k = 0, time = 0, value = 0; k < size; k++) {
      time += signed(raw[3 * k]); value += signed(raw[3 * k + 1]);
      at[k] = time / 1e3; values[k] = value * one.unit; lots[k] = raw[3 * k + 2];
    }
    return {...one, at, values, lots};
  }

  // How many entries are at or before a time.
  function before(at, time) {
    let low = 0, high = at.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at[middle] <= time) { low = middle + 1; } else { high = middle; }
    }
    return low;
  }

  // Lowest, highest and last value of a track between two times, what held at the first included.
  function between(one, from, to) {
    const start = before(one.at, from), end = before(one.at, to);
    let low = Infinity, high = -Infinity, last = start ? one.last[start - 1] : GAP;
    if (last === last) { low = high = last; }
    for (let k = start; k < end; k++) {
      if (one.low[k] < low) { low = one.low[k]; }
      if (one.high[k] > high) { high = one.high[k]; }
      last = one.last[k];
    }
    return {low, high, last};
  }

  // The path of a track, as hft.reports.shapes draws it; `y` places a value.
  function path(one, from, to, y) {
    const start = before(one.at, from), end = before(one.at, to), scale = COLUMNS / (to - from);
    let value = start ? one.last[start - 1] : GAP, pen = value === value ? n(y(value)) : "";
    const out = pen ? ["M0 " + pen] : [];
    for (let k = start; k < end;) {
      const x = clamp(Math.floor((one.at[k] - from) * scale), 0, COLUMNS - 1);
      const until = from + (x + 1) / scale;
      let low = Infinity, high = -Infinity;
      const exact = (one.at[k] - from) * scale;
      const alone = k + 1 >= end || one.at[k + 1] >= until;
      do {
        if (one.low[k] < low) { low = one.low[k]; }
        if (one.high[k] > high) { high = one.high[k]; }
        value = one.last[k];
        k++;
      } while (k < end && one.at[k] < until);
      const place = alone ? n(exact) : x;
      if (pen) { out.push("H" + place); }
      if (low <= high) {
        const first = n(y(value === value ? value : low));
        if (!pen) { out.push("M" + place + " " + first); pen = first; }
        for (const v of [low, high, value]) {
          const there = v === v ? n(y(v)) : pen;
          if (there !== pen) { out.push("V" + there); pen = there; }
        }
      }
      if (value !== value) { pen = ""; }
    }
    return out.join("") + (pen ? "H" + COLUMNS : "");
  }

  function filled(line, y) {
    if (!line) { return ""; }
    const space = line.indexOf(" ");
    return line.slice(0, space) + " " + n(y(0)) + "V" + line.slice(space + 1) + "V" + n(y(0)) + "Z";
  }

  function valueTicks(low, high, whole) {
    const raw = (high - low) / 4, power = 10 ** Math.floor(Math.log10(raw));
    let step = [1, 2, 2.5, 5, 10].find((nice) => nice * power >= raw * 0.999) * power;
    if (whole) { step = Math.max(1, Math.ceil(step)); }
    let digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    if (Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) { digits++; }
    const out = [];
    for (let k = Math.ceil(low / step); k * step <= high; k++) {
      const small = Math.max(Math.abs(low), Math.abs(high)) < 1e-4 && k;
      const power = () => Number((k * step).toPrecision(3)).toExponential().replace(/-/g, MINUS);
      out.push([k * step, small ? power() : text(k * step, digits)]);
    }
    return out;
  }

  function text(v, digits) {
    if (v !== v) { return "\u2013"; }
    const form = {minimumFractionDigits: digits, maximumFractionDigits: digits};
    return (Math.abs(v) < 1e-12 ? 0 : v).toLocaleString("en", form).replace("-", MINUS);
  }

  const STEPS = [1e-3, 2e-3, 5e-3, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3,
    1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 144e5, 216e5, 432e5];
  function timeTicks(origin, from, to, most) {
    const step = STEPS.find((s) => (to - from) / s <= most) || DAY * Math.ceil((to - from) / DAY / most);
    const out = [], phase = origin % step;
    for (let k = Math.ceil((from + phase) / step); k * step - phase <= to; k++) {
      const at = k * step - phase;
      out.push([at, timeLabel(origin, at, step)]);
    }
    return out;
  }

  const two = (v) => String(v).padStart(2, "0");
  function timeLabel(origin, at, step) {
    const d = new Date(Math.floor(origin + at + 1e-4));
    const midnight = d.getUTCHours() + d.getUTCMinutes() + d.getUTCSeconds() === 0;
    if (step >= DAY || (midnight && step >= 1e3)) { return d.getUTCDate() + " " + MONTHS[d.getUTCMonth()]; }
    const clock = two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
    if (step >= 6e4) { return clock; }
    return clock + ":" + two(d.getUTCSeconds()) + (step < 1e3 ? part(origin, at, step) : "");
  }
  function part(origin, at, step) {
    const digits = step >= 1 ? 3 : 6, inside = ((origin + at) % 1e3 + 1e3) % 1e3;
    return (inside / 1e3).toFixed(digits).slice(1);
  }
  function stamp(origin, at, wide) {
    const d = new Date(Math.floor(origin + at + 1e-6));
    const day = d.toISOString().slice(0, 10), clock = d.toISOString().slice(11, 19);
    return day + " " + clock + (wide > 36e5 ? "" : wide > 2e3 ? part(origin, at, 1) : part(origin, at, 1e-3));
  }
  function length(ms) {
    const units = [[DAY, "days"], [36e5, "h"], [6e4, "min"], [1e3, "s"], [1, "ms"], [1e-3, "\u00b5s"]];
    const [size, name] = units.find(([s]) => ms >= 2 * s || (s !== DAY && ms >= s)) || units[5];
    return Number((ms / size).toPrecision(3)) + " " + name;
  }

  // One chart of a group: what the page has, and what it is drawn from once it is looked at closer.
  function charted(figure, data, whole) {
    const svg = figure.querySelector("svg"), plot = figure.querySelector(".plot");
    const find = (mark, k) => [...svg.querySelectorAll(`path[data-${mark}="${k}"]`)];
    const key = (mark, k) => figure.querySelector(`.key[data-${mark}="${k}"] b`);
    return {
      figure, svg, plot, data, times: figure.querySelector(".times"), pair: figure.classList.contains("pair"),
      tracks: data.t.map((one, k) => ({...unpack(one), paths: find("t", k), key: key("t", k)})),
      moments: data.e.map((one, k) => ({...unpackMoments(one), paths: find("e", k), key: key("e", k)})),
      tape: figure.querySelector(".key.tape"), area: svg.querySelector("path.fill") !== null, whole,
    };
  }

  function scaleOf(chart, from, to) {
    let low = Infinity, high = -Infinity, apart = GAP;
    const seen = chart.tracks.map((one) => between(one, from, to));
    if (chart.pair && seen.length > 1) { apart = seen[1].last - seen[0].last; }
    const height = chart.plot.clientHeight;
    const reach = (some) => some.forEach((v) => {
      if (v.low < low) { low = v.low; }
      if (v.high > high) { high = v.high; }
    });
    reach(seen);
    const held = chart.area || to - from >= chart.whole;  // a line looked at closer leaves zero
    (held ? chart.data.include : []).forEach((v) => { low = Math.min(low, v); high = Math.max(high, v); });
    chart.moments.forEach((one) => {
      for (let k = before(one.at, from), end = before(one.at, to); k < end; k++) {
        low = Math.min(low, one.values[k]); high = Math.max(high, one.values[k]);
      }
    });
    if (!(low <= high)) { [low, high] = [0, 1]; }
    const room = (high - low) * ROOM || (chart.data.whole ? 0.5 : 5 * 10 ** -(chart.tracks[0] || {digits: 0}).digits);
    const steps = chart.pair ? before(chart.tracks[0].at, to) - before(chart.tracks[0].at, from) : 0;
    const dense = !(apart / (high - low + 2 * room) * height >= SEEN_PX) || steps > STEPS_SEEN;
    if (chart.pair) { chart.figure.classList.toggle("dense", dense); }
    return [low - room, high + room];
  }

  function draw(chart, origin, from, to) {
    const [low, high] = scaleOf(chart, from, to);
    const y = (v) => (high - v) / (high - low) * 100, x = (t) => (t - from) / (to - from) * COLUMNS;
    const rows = valueTicks(low, high, chart.data.whole);
    const columns = timeTicks(origin, from, to, chart.plot.clientWidth > 600 ? 7 : 4);
    chart.svg.querySelectorAll("path.grid, path.zero").forEach((one) => one.remove());
    const title = chart.svg.querySelector("title");
    const grid = (css, d) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", "path");
      made.setAttribute("class", css); made.setAttribute("d", d); title.after(made);
    };
    if (low < 0 && high > 0) { grid("zero", `M0 ${n(y(0))}H1000`); }
    grid("grid", rows.map(([v]) => `M0 ${n(y(v))}H1000`).join("") + columns.map(([t]) => `M${n(x(t))} 0V100`).join(""));
    chart.plot.querySelectorAll(".yl").forEach((one) => one.remove());
    rows.forEach(([v, words]) => {
      const made = document.createElement("span");
      made.className = "yl"; made.style.top = n(y(v)) + "%"; made.textContent = words;
      chart.plot.append(made);
    });
    if (chart.times) {
      chart.times.classList.add("drawn");
      chart.times.replaceChildren(...columns.map(([t, words]) => {
        const made = document.createElement("span"), at = x(t) / COLUMNS;
        made.className = at < 0.03 ? "s" : at > 0.97 ? "e" : "";
        made.style.left = n(at * 100) + "%"; made.textContent = words;
        return made;
      }));
    }
    chart.tracks.forEach((one) => {
      const line = path(one, from, to, y);
      one.paths.forEach((p) => p.setAttribute("d", p.classList.contains("fill") ? filled(line, y) : line));
    });
    chart.moments.forEach((one) => {
      const out = [], done = new Set();
      for (let k = before(one.at, from - 1e-9), end = before(one.at, to); k < end; k++) {
        const place = n(Math.round(x(one.at[k]) * 2) / 2) + " " + n(Math.round(y(one.values[k]) * 2) / 2);
        if (!done.has(place)) { done.add(place); out.push("M" + place + "h0"); }
      }
      one.paths.forEach((p) => {
        p.setAttribute("d", out.join(""));
        p.classList.toggle("many", out.length > 200); p.classList.toggle("most", out.length > 1500);
      });
    });
  }

  // A legend that has grown stays as high: what is under the pointer does not jump.
  function settle(chart) {
    const caption = chart.figure.querySelector("figcaption"), high = caption.offsetHeight;
    if (high > (chart.high || 0)) { chart.high = high; caption.style.minHeight = high + "px"; }
  }

  // The values of a chart in one pixel, written behind their names.
  function say(chart, from, to) {
    const seen = chart.tracks.map((one) => between(one, from, to));
    const words = (v, digits) => !(v.low <= v.high) ? "\u2013"
      : v.high > v.low ? text(v.low, digits) + " to " + text(v.high, digits) : text(v.low, digits);
    chart.tracks.forEach((one, k) => { if (one.key) { one.key.textContent = words(seen[k], one.digits); } });
    if (chart.tracks.length === 1 && !chart.tracks[0].key) {
      chart.figure.querySelector(".read").textContent = words(seen[0], chart.tracks[0].digits);
    }
    if (chart.tape && seen.length > 1) {
      const both = {low: seen[0].low, high: seen[1].high};
      chart.tape.querySelector("b").textContent = words(both, chart.tracks[0].digits);
    }
    chart.moments.forEach((one) => {
      const near = (to - from) * 3, start = before(one.at, from - near), end = before(one.at, to + near);
      let said = "";
      if (end - start === 1) { said = one.lots[start] + " at " + text(one.values[start], one.digits); }
      if (end - start > 1) { said = (end - start) + " here"; }
      if (one.key) { one.key.textContent = said; }
    });
    settle(chart);
  }

  function grouped(section, data) {
    const whole = data.end - data.start, tools = document.createElement("div");
    let from = 0, to = whole, charts = null, asked = false;
    const figures = [...section.querySelectorAll("figure.panel")];
    const ready = () => {
      charts = charts || figures.map((one) => charted(one, data.charts[one.id], whole));
      return charts;
    };

    tools.className = "tools";
    tools.innerHTML = '<span class="moment"></span><span class="buttons">'
      + [["out", "\u2212", "zoom out"], ["in", "+", "zoom in"], ["back", "\u25c0", "earlier"],
        ["on", "\u25b6", "later"], ["all", "all", "the whole time"]]
        .map(([name, sign, words]) => `<button type="button" data-do="${name}" title="${words}" aria-label="${words}">${sign}</button>`)
        .join("") + '</span><span class="where"><i></i></span>';
    section.querySelector("figure").before(tools);
    section.tabIndex = 0;
    const moment = tools.querySelector(".moment"), where = tools.querySelector(".where"), thumb = where.firstChild;
    const hint = matchMedia("(pointer:coarse)").matches ? "pinch to look closer, then draw sideways"
      : "drag to look closer, shift-drag to move, double-click for all";

    function rest() {
      const wide = to - from;
      moment.textContent = wide < whole
        ? stamp(data.start, from, wide) + " to " + stamp(data.start, to, wide) + " UTC, " + length(wide) + kept(wide)
        : hint;
      thumb.style.left = from / whole * 100 + "%";
      thumb.style.width = Math.max(wide / whole * 100, 0.4) + "%";
    }

    // What lies closer together than the steps that the page keeps is shown by its extremes.
    function kept(wide) {
      const steps = Object.values(data.charts).flatMap((one) => one.t.map((t) => t.step / 1e6));
      const longest = Math.max(...steps);
      return longest > wide / COLUMNS ? ", kept in steps of up to " + length(longest) : "";
    }

    function show(a, b) {
      const wide = clamp(b - a, Math.min(LEAST_MS, whole), whole);
      from = clamp((a + b - wide) / 2, 0, whole - wide);
      to = from + wide;
      rest();
      if (asked) { return; }
      asked = true;
      requestAnimationFrame(() => { asked = false; ready().forEach((one) => draw(one, data.start, from, to)); });
    }
    const around = (part, factor) => {
      const at = from + part * (to - from);
      show(at - part * (to - from) * factor, at + (1 - part) * (to - from) * factor);
    };
    const move = (share) => show(from + share * (to - from), to + share * (to - from));
    const doing = {in: () => around(.5, .5), out: () => around(.5, 2), back: () => move(-.5), on: () => move(.5),
      all: () => show(0, whole)};
    tools.addEventListener("click", (event) => { const name = event.target.dataset.do; if (name) { doing[name](); } });
    section.addEventListener("keydown", (event) => {
      const name = {"+": "in", "=": "in", "-": "out", ArrowLeft: "back", ArrowRight: "on", Home: "all", 0: "all"}[event.key];
      if (name && !event.ctrlKey && !event.metaKey) { event.preventDefault(); doing[name](); }
    });

    const partOf = (event, box) => clamp((event.clientX - box.left) / box.width, 0, 1);
    const hold = (event) => {
      const box = where.getBoundingClientRect(), wide = to - from;
      const at = partOf(event, box) * whole;
      show(at - wide / 2, at + wide / 2);
    };
    where.addEventListener("pointerdown", (event) => {
      if (event.isTrusted) { where.setPointerCapture(event.pointerId); }
      hold(event);
    });
    where.addEventListener("pointermove", (event) => { if (event.buttons) { hold(event); } });

    function read(part) {
      const pixel = (to - from) / COLUMNS, at = from + part * (to - from);
      moment.textContent = stamp(data.start, at, to - from) + " UTC";
      ready().forEach((one) => {
        const cross = one.plot.querySelector(".cross");
        cross.style.display = "block"; cross.style.left = part * 100 + "%";
        say(one, Math.max(at - pixel / 2, 0), at + pixel / 2);
      });
    }
    function quiet() {
      rest();
      figures.forEach((one) => {
        one.querySelectorAll(".key b, .read").forEach((b) => { b.textContent = ""; });
        one.querySelector(".cross").style.display = "none";
      });
    }

    const down = new Map();
    let began = null;  // where a drag began: its part, its view, and whether it moves the view
    const paint = (a, b) => figures.forEach((one) => {
      let mark = one.querySelector(".sel");
      if (!mark) { mark = document.createElement("i"); mark.className = "sel"; one.querySelector(".plot").append(mark); }
      mark.style.display = a === b ? "none" : "block";
      mark.style.left = Math.min(a, b) * 100 + "%"; mark.style.width = Math.abs(b - a) * 100 + "%";
    });
    figures.forEach((figure) => {
      const plot = figure.querySelector(".plot"), at = (event) => partOf(event, plot.getBoundingClientRect());
      plot.addEventListener("pointerdown", (event) => {
        if (event.button) { return; }
        down.set(event.pointerId, at(event));
        if (event.isTrusted) { plot.setPointerCapture(event.pointerId); }
        const moves = event.pointerType !== "mouse" || event.shiftKey;
        began = {part: at(event), from, to, moves, parts: [...down.values()]};
        if (event.pointerType !== "mouse") { read(at(event)); }
      });
      plot.addEventListener("pointermove", (event) => {
        const part = at(event);
        if (!began || !down.has(event.pointerId)) { read(part); return; }
        down.set(event.pointerId, part);
        const wide = began.to - began.from;
        if (down.size > 1) {
          const [a, b] = [...down.values()], [c, d] = began.parts;
          const factor = clamp(Math.abs(d - c) / Math.max(Math.abs(b - a), 0.02), 0.02, 50);
          const fixed = began.from + (c + d) / 2 * wide;
          show(fixed - (a + b) / 2 * wide * factor, fixed + (1 - (a + b) / 2) * wide * factor);
        } else if (began.moves) {
          if (wide < whole) { show(began.from - (part - began.part) * wide, began.to - (part - began.part) * wide); } else { read(part); }
        } else { paint(began.part, part); read(part); }
      });
      const up = (event) => {
        const part = at(event), one = began;
        down.delete(event.pointerId);
        if (down.size) { return; }
        began = null;
        if (!one || one.moves || event.type === "pointercancel") { return; }
        paint(0, 0);
        const [a, b] = [Math.min(one.part, part), Math.max(one.part, part)];
        if ((b - a) * plot.clientWidth > 5) { show(from + a * (to - from), from + b * (to - from)); }
      };
      plot.addEventListener("pointerup", up);
      plot.addEventListener("pointercancel", up);
      // A finger that is lifted leaves its values to be read.
      plot.addEventListener("pointerleave", (event) => {
        if (!began && event.pointerType !== "touch") { quiet(); }
      });
      plot.addEventListener("dblclick", () => show(0, whole));
      plot.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !event.metaKey) { return; }
        event.preventDefault();
        around(at(event), Math.exp(clamp(event.deltaY, -100, 100) / 200));
      }, {passive: false});
    });
    rest();
  }

  document.querySelectorAll(".linked").forEach((section) => grouped(section, groups[section.dataset.g]));
})();
