// What the keyboard has to reach. `mark` numbers every visible control; `focused` says which one has the focus and
// whether that shows, by comparing its look with the look before.
(() => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, audio[controls], video[controls], [tabindex]:not([tabindex='-1']), [contenteditable=true]";
  const LOOK = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "borderTopColor", "borderLeftColor", "backgroundColor", "textDecorationLine"];
  const look = (element) => {
    const style = getComputedStyle(element);
    return LOOK.map((name) => (name.startsWith("outline") && style.outlineStyle === "none" ? "" : style[name])).join("|");
  };
  const shown = (element) => {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: false })) return false;
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.height > 1;
  };
  const name = (element) => {
    const text = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 30);
    return `${element.localName}${element.id ? `#${element.id}` : ""}${element.getAttribute("class") ? `.${element.getAttribute("class").trim().split(/\s+/).slice(0, 2).join(".")}` : ""} "${text}"`;
  };
  const rows = [];
  const looks = [];
  window.shoufuKeyboard = {
    mark() {
      document.activeElement?.blur?.();
      rows.length = 0;
      for (const element of document.querySelectorAll(CONTROLS)) {
        if (!shown(element) || element.matches(":disabled") || element.closest("[inert]")) continue;
        // Of a group of radio buttons the keyboard stops at one; the arrows do the rest.
        if (element.type === "radio" && rows.some((other) => other.type === "radio" && other.name === element.name && other.form === element.form)) continue;
        // Moved outside until it has the focus: it shows itself when it is reached.
        rows.push(element);
      }
      looks.length = 0;
      for (const element of rows) looks.push([look(element), element.parentElement ? look(element.parentElement) : ""]);
      return rows.map(name);
    },
    /** Index of the focused control (-1: another element, null: none), and whether the focus can be seen. */
    focused() {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      let index = rows.indexOf(element);
      if (index < 0 && element.type === "radio") index = rows.findIndex((other) => other.type === "radio" && other.name === element.name && other.form === element.form);
      if (index < 0) return { index, visible: true, name: name(element) };
      const [own, around] = looks[index];
      const visible = look(element) !== own || (element.parentElement && look(element.parentElement) !== around) || element.matches("video, audio");
      return { index, visible: Boolean(visible), name: name(element) };
    },
  };
})();
