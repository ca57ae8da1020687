// Text of the page that stands out too little from what lies under it (WCAG 2.1: 4.5 to 1), each look once.
() => {
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return colour.startsWith("color(srgb") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const channel = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const over = (top, under) => [0, 1, 2].map((at) => top[at] * top[3] + under[at] * (1 - top[3])).concat(1);
  const background = (element) => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) layers.push(parse(getComputedStyle(node).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const seen = new Set();
  const low = [];
  for (const element of document.querySelectorAll(".lc *, .md-header *, .md-tabs *, .lc-footer *")) {
    const speaks = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!speaks || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const colour = getComputedStyle(element).color;
    const under = background(element);
    const [brighter, darker] = [light(over(parse(colour), under)), light(under)].sort((a, b) => b - a);
    const ratio = (brighter + 0.05) / (darker + 0.05);
    const look = `${element.className} ${colour} ${under}`;
    if (ratio < 4.5 && !seen.has(look)) low.push(`${element.tagName}.${element.className} "${element.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
    seen.add(look);
  }
  return low;
}
