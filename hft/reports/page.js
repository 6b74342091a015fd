// Reads values out under the pointer; without it the page shows the same.
(() => {
  const PIXELS = 900;
  const data = JSON.parse(document.getElementById("values").textContent);
  const length = data.end - data.start;
  const panels = [...document.querySelectorAll(".linked .panel")];
  const format = (v) => v === null ? "\u2013"
    : v.toLocaleString("en", {maximumFractionDigits: 8}).replace("-", "\u2212");

  // The value of a panel at a pixel: the last one at or before it.
  function valueAt(panel, pixel) {
    const [at, values] = data.panels[panel];
    let low = 0, high = at.length - 1, found = -1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (at[middle] <= pixel) { found = middle; low = middle + 1; } else { high = middle - 1; }
    }
    return found < 0 ? null : values[found];
  }

  function show(event, plot) {
    const box = plot.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const time = new Date(data.start + part * length).toISOString().slice(11, length < 6e4 ? 23 : 19);
    panels.forEach((panel, k) => {
      const cross = panel.querySelector(".cross");
      cross.style.display = "block";
      cross.style.left = part * 100 + "%";
      const value = valueAt(k, Math.floor(part * PIXELS));
      panel.querySelector(".read").textContent = time + "\u2002" + format(value);
    });
  }

  function hide() {
    panels.forEach((panel) => {
      panel.querySelector(".cross").style.display = "none";
      panel.querySelector(".read").textContent = "";
    });
  }

  panels.forEach((panel) => {
    const plot = panel.querySelector(".plot");
    plot.addEventListener("pointermove", (event) => show(event, plot));
    plot.addEventListener("pointerdown", (event) => show(event, plot));
    plot.addEventListener("pointerleave", hide);
  });
})();
