// Every visible text of the page against what is behind it, by WCAG 2.2 (1.4.3): 4.5:1, large text 3:1.
// Returns { texts, unsure, failures: [{ text, where, ratio, needed, colour, behind }] }.
() => {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const parsed = new Map();
  /** Any CSS colour as [red, green, blue (0…255), alpha (0…1)]. */
  const rgba = (text) => {
    if (!parsed.has(text)) {
      const plain = text.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
      if (plain) parsed.set(text, [+plain[1], +plain[2], +plain[3], plain[4] === undefined ? 1 : +plain[4]]);
      else {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = "rgba(0,0,0,0)";
        pen.fillStyle = text;
        pen.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
        parsed.set(text, [red, green, blue, alpha / 255]);
      }
    }
    return parsed.get(text);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const PICTURES = "img, video, canvas";

  /** What may be behind an element: one colour, or the extremes where a picture or a gradient is behind. */
  const backdrops = (element) => {
    const layers = [];
    let below = null;
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      const colour = rgba(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) {
        below = [colour];
        break;
      }
      if (style.backgroundImage.includes("gradient")) {
        const stops = style.backgroundImage.match(/(?:rgba?|color|oklab|oklch|hsl)\([^()]*\)/g) ?? [];
        if (stops.length && stops.every((stop) => rgba(stop)[3] === 1)) {
          below = stops.map(rgba);
          break;
        }
      }
      const positioned = ["absolute", "fixed", "sticky"].includes(style.position);
      const parent = at.parentElement;
      if (positioned && parent && [...parent.children].some((other) => other !== at && other.checkVisibility() && (other.matches(PICTURES) || (!other.contains(element) && other.querySelector(PICTURES)))))  {
        below = [[0, 0, 0, 1], [255, 255, 255, 1]];
        break;
      }
    }
    below ??= [rgba(getComputedStyle(document.documentElement).colorScheme.includes("dark") && document.documentElement.dataset.bsTheme === "dark" ? "rgb(0, 0, 0)" : "rgb(255, 255, 255)")];
    const above = layers.filter((layer) => layer[3] < 1).reverse();
    return below.map((colour) => above.reduce((found, layer) => over(layer, found), colour));
  };

  const faded = (element) => {
    let share = 1;
    for (let at = element; at; at = at.parentElement) share *= Number(getComputedStyle(at).opacity);
    return share;
  };
  const shown = (element) => {
    if (!element.checkVisibility({ visibilityProperty: true })) return false;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || box.right < 0 || box.bottom < 0) return false;
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.clipPath !== "none" || style.clip !== "auto") return false;
    }
    return true;
  };
  const disabled = (element) => element.closest(":disabled, [aria-disabled=true]") !== null;
  const path = (element) => {
    const names = [];
    for (let at = element; at && names.length < 4; at = at.parentElement) {
      const css = at.getAttribute("class")?.trim().split(/\s+/).slice(0, 3).join(".") ?? "";
      names.unshift(at.localName + (at.id ? `#${at.id}` : "") + (css ? `.${css}` : ""));
    }
    return names.join(" > ");
  };

  const found = { texts: 0, unsure: 0, failures: [] };
  const measure = (element, text, style, colour) => {
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const needed = large ? 3 : 4.5;
    const fade = faded(element);
    const rows = backdrops(element);
    const worst = rows.map((behind) => [ratio(over([colour[0], colour[1], colour[2], colour[3] * fade], behind), behind), behind]).sort((a, b) => a[0] - b[0])[0];
    found.texts += 1;
    if (rows.length > 1) found.unsure += 1;
    // Half a hundredth is rounding.
    if (worst[0] + 0.005 < needed) {
      found.failures.push({ text: text.trim().slice(0, 40), where: path(element), ratio: Math.round(worst[0] * 100) / 100, needed, colour: style.color, behind: `rgb(${worst[1].slice(0, 3).map(Math.round).join(", ")})` });
    }
  };

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent ?? "";
    const element = walker.currentNode.parentElement;
    if (!element || !text.trim() || seen.has(element) || element.closest("script, style, noscript, template, option, title, canvas")) continue;
    seen.add(element);
    if (!shown(element) || disabled(element)) continue;
    const style = getComputedStyle(element);
    measure(element, text, style, rgba(element instanceof SVGElement ? style.fill : style.color));
  }
  for (const field of document.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio], [type=range]), textarea, select")) {
    if (!shown(field) || disabled(field)) continue;
    const hint = !field.value && field.placeholder;
    const style = getComputedStyle(field, hint ? "::placeholder" : null);
    const colour = rgba(style.color);
    measure(field, hint || field.value || field.localName, getComputedStyle(field), hint ? [colour[0], colour[1], colour[2], colour[3] * Number(style.opacity)] : colour);
  }
  return found;
};
