// Reads values out under the pointer; without it the page shows the same.
(() => {
  const data = JSON.parse(document.getElementById("values").textContent);

  // The index whose place is nearest to a share of the width.
  function nearest(places, part) {
    let low = 0, high = places.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[middle] < part) { low = middle + 1; } else { high = middle; }
    }
    const before = low > 0 && part - places[low - 1] < places[low] - part;
    return before ? low - 1 : low;
  }

  function say(figure, part) {
    const own = data[figure.id];
    if (!own || !own.x) { return; }
    const k = nearest(own.x, part);
    const words = own.s.map(([name, texts]) => name + " " + texts[k]);
    figure.querySelector(".read").textContent = [own.t[k], ...words].join("\u2002");
    const cross = figure.querySelector(".cross");
    cross.style.display = "block";
    cross.style.left = Math.min(1, Math.max(0, own.x[k])) * 100 + "%";
  }

  // A tile: its row, its column and its value; a symmetric field holds its lower half only.
  function tile(figure, across, down) {
    const own = data[figure.id], rows = own.n[0], columns = own.n[1] || rows;
    let r = Math.min(rows.length - 1, Math.floor(down * rows.length));
    let c = Math.min(columns.length - 1, Math.floor(across * columns.length));
    if (own.half && c > r) { [r, c] = [c, r]; }
    const symmetric = own.n.length === 1, high = Math.max(r, c), low = Math.min(r, c);
    const value = own.v[symmetric ? high * (high + 1) / 2 + low : r * columns.length + c];
    const text = value === null ? "\u2013" : String(value).replace("-", "\u2212");
    figure.querySelector(".read").textContent = rows[r] + " \u00b7 " + columns[c] + "\u2002" + text;
  }

  document.querySelectorAll(".picture").forEach((picture) => {
    const figures = [...picture.querySelectorAll("figure.panel")];
    figures.forEach((figure) => {
      const plot = figure.querySelector(".plot"), own = data[figure.id];
      if (!plot || !own) { return; }
      const show = (event) => {
        const box = plot.getBoundingClientRect();
        const across = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
        const down = Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
        const linked = picture.classList.contains("together") ? figures : [figure];
        if (own.v) { tile(figure, across, down); } else { linked.forEach((f) => say(f, across)); }
      };
      plot.addEventListener("pointermove", show);
      plot.addEventListener("pointerdown", show);
      plot.addEventListener("pointerleave", () => {
        picture.querySelectorAll(".read").forEach((read) => { read.textContent = ""; });
        picture.querySelectorAll(".cross").forEach((cross) => { cross.style.display = "none"; });
      });
    });
  });
})();
