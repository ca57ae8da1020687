// Enhances what is already readable: sorting and filtering of tables, the fit form. No dependencies, no requests but one on /fit/.
(() => {
  "use strict";
  const make = (name, attributes, ...children) => {
    const node = Object.assign(document.createElement(name), attributes);
    node.append(...children);
    return node;
  };
  const text = (cell) => (cell ? cell.textContent.trim() : "");
  const title = (head) => (head.firstChild ? head.firstChild.textContent.trim() : "");
  const value = (cell) => {
    const raw = cell && cell.dataset.v !== undefined ? cell.dataset.v : text(cell);
    return raw !== "" && !Number.isNaN(Number(raw)) ? Number(raw) : raw;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));

  function enhance(table, state, save) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const field = make("input", { type: "search", value: state.get("filter") || "", autocomplete: "off" });
    const count = make("output");
    count.setAttribute("aria-live", "polite");
    const clear = make("button", { type: "button", textContent: "Show all" });
    const tools = make("div", { className: "lc-tools" }, make("label", {}, "Filter", field));
    const facets = heads.flatMap((head, index) => {
      if (!("facet" in head.dataset)) return [];
      const values = [...new Set(rows.map((row) => text(row.cells[index])))].filter(Boolean).sort((a, b) => compare(a, b));
      if (values.length < 2 || values.length > 60) return [];
      const select = make("select", {}, make("option", { value: "", textContent: "all" }), ...values.map((v) => make("option", { value: v, textContent: v })));
      const name = title(head).toLowerCase().replace(/[^a-z0-9]+/g, "-");
      if (values.includes(state.get(name))) select.value = state.get(name);
      tools.append(make("label", { className: "lc-facet" }, title(head), select));
      return [{ index, select, name }];
    });
    tools.append(clear, count);
    table.closest(".lc-scroll").before(tools);

    const filter = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, at) => {
        const match = words.every((word) => texts[at].includes(word)) && facets.every(({ index, select }) => !select.value || text(row.cells[index]) === select.value);
        row.hidden = !match;
        shown += match;
      });
      count.textContent = shown === rows.length ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
      save("filter", field.value.trim());
      facets.forEach(({ name, select }) => save(name, select.value));
      clear.hidden = shown === rows.length && !field.value;
    };
    const sort = (index, descending) => {
      heads.forEach((head, at) => head.setAttribute("aria-sort", at !== index ? "none" : descending ? "descending" : "ascending"));
      const order = rows.map((row) => [value(row.cells[index]), row]);
      const filled = order.filter(([v]) => v !== "").sort((a, b) => (descending ? compare(b[0], a[0]) : compare(a[0], b[0])));
      body.append(...filled.map(([, row]) => row), ...order.filter(([v]) => v === "").map(([, row]) => row));
      save("sort", (descending ? "-" : "") + index);
    };
    heads.forEach((head, index) => {
      const button = make("button", { type: "button" }, ...[...head.childNodes].filter((node) => node.className !== "sub"));
      head.prepend(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(index, head.getAttribute("aria-sort") === "ascending" || (head.getAttribute("aria-sort") === "none" && head.classList.contains("n"))));
    });
    field.addEventListener("input", filter);
    facets.forEach(({ select }) => select.addEventListener("change", filter));
    clear.addEventListener("click", () => {
      field.value = "";
      facets.forEach(({ select }) => (select.value = ""));
      filter();
      field.focus();
    });
    const chosen = /^(-?)(\d{1,2})$/.exec(state.get("sort") || "");
    if (chosen && heads[chosen[2]]) sort(Number(chosen[2]), chosen[1] === "-");
    filter();
  }

  const address = new URL(location.href);
  const save = (name, entry) => {
    entry ? address.searchParams.set(name, entry) : address.searchParams.delete(name);
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  };
  const tables = document.querySelectorAll("table[data-lc-table]");
  tables.forEach((table, at) => enhance(table, address.searchParams, tables.length === 1 || at === 0 ? save : () => {}));

  // The fit form: its address is its state; the answer comes from the model's file of the JSON API.
  const WORDS = { fits: ["fits", "vf"], tight: ["tight", "vt"], "does-not-fit": ["does not fit", "vn"], unsupported: ["unsupported", "vu"], unknown: ["unknown", "vq"] };
  const gib = (bytes) => (bytes / 2 ** 30).toFixed(2);
  const tokens = (count) => (count >= 1048576 ? `${+(count / 1048576).toFixed(1)}M` : count >= 1024 ? `${Math.floor(count / 1024)}k` : String(count));
  const reaches = (reach) => (reach ? `to ${tokens(reach)}` : "");
  const sub = (...parts) => make("span", { className: "sub", textContent: parts.filter(Boolean).join(", ") });
  const link = (form, collection, select) => make("a", { href: `${form.dataset.root}${collection}/${select.value}/` }, select.selectedOptions[0].textContent);

  const NAMES = { vllm: "vLLM" };

  function table(data, answers, refusals) {
    const head = make("tr", {}, ...["Weights", "Does it fit?", "Needs (GiB)"].map((title, at) => make("th", { scope: "col", textContent: title, className: at > 1 ? "n" : "" })));
    const rows = data.ways.map((way, at) => {
      const [verdict, reach, code, instead] = answers[at];
      const [words, css] = WORDS[verdict] || WORDS.unknown;
      const needs = way.memory ? `${gib(way.memory.low_bytes)} – ${gib(way.memory.high_bytes)}` : "";
      const why = verdict === "unsupported" ? refusals[code] : reaches(reach);
      return make("tr", {}, make("th", { scope: "row" }, way.title, sub(`in ${NAMES[way.runtime] || way.runtime}`, instead && `as ${instead}`)),
        make("td", {}, make("span", { className: `v ${css}`, textContent: words }), sub(why)), make("td", { className: "n", textContent: needs }));
    });
    const built = make("table", { className: "lc-table" }, make("thead", {}, head), make("tbody", {}, ...rows));
    const frame = make("div", { className: "lc-scroll", tabIndex: 0 }, built);
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", "The answer at each quantization");
    return frame;
  }

  // The answer in one line: the most bits that fit in llama.cpp, else tight, else no.
  function verdict(data, answers) {
    const found = data.ways.map((way, at) => ({ way, at })).filter(({ way }) => way.runtime === "llama.cpp").reverse();
    for (const [wanted, words] of [["fits", "Yes"], ["tight", "Tight"]]) {
      const best = found.find(({ at }) => answers[at][0] === wanted);
      if (best) return `${words}: ${best.way.title} in llama.cpp${answers[best.at][1] ? `, ${reaches(answers[best.at][1])} tokens` : ""}.`;
    }
    const least = answers[found[found.length - 1].at][0];
    const other = answers.some(([each]) => each === "fits");
    return least === "does-not-fit" ? `No: too large even at ${found[found.length - 1].way.title}.` : other ? "Yes, but not in llama.cpp." : "No answer for llama.cpp; see the reasons below.";
  }

  const form = document.querySelector("form[data-lc-fit]");
  if (form) {
    const answer = document.querySelector("[data-lc-answer]");
    const say = (...nodes) => answer.replaceChildren(...nodes);
    const ask = async () => {
      const { model, gpu } = form.elements;
      save("model", model.value);
      save("gpu", gpu.value);
      if (!model.value && !gpu.value) return say();
      if (!gpu.value) return say(make("p", {}, link(form, "models", model), ": every card is on its page. Choose one for a single answer."));
      if (!model.value) return say(make("p", {}, link(form, "gpus", gpu), ": what runs on it is on its page. Choose a model for a single answer."));
      try {
        const response = await fetch(`${form.dataset.api}fit/${model.value}.json`);
        if (!response.ok) throw new Error(String(response.status));
        const data = await response.json();
        const answers = data.gpus[gpu.value];
        const line = make("p", {}, make("b", { textContent: verdict(data, answers) }), " ", link(form, "models", model), " on ", link(form, "gpus", gpu), `, asked at ${tokens(data.context_tokens)} tokens of context, one user:`);
        return say(line, table(data, answers, JSON.parse(form.dataset.refusals)));
      } catch (error) {
        return say(make("p", {}, "The answer could not be loaded; it is also on the page of ", link(form, "models", model), "."));
      }
    };
    ["model", "gpu"].forEach((name) => {
      const wanted = address.searchParams.get(name) || "";
      if ([...form.elements[name].options].some((option) => option.value === wanted)) form.elements[name].value = wanted;
      form.elements[name].addEventListener("change", ask);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask();
    });
    ask();
  }
})();
