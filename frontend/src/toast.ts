/** A line at the bottom that goes away by itself; with an action it can be undone. */
export function toast(text: string, options: { bad?: boolean; action?: string; act?: () => void } = {}): void {
  const home = document.getElementById("toasts");
  if (!home) return;
  const line = document.createElement("div");
  line.className = `toast-line${options.bad ? " bad" : ""}`;
  line.append(text);
  if (options.action && options.act) {
    const button = document.createElement("button");
    button.textContent = options.action;
    button.addEventListener("click", () => {
      options.act?.();
      line.remove();
    });
    line.append(button);
  }
  home.append(line);
  setTimeout(() => line.remove(), options.bad ? 9000 : 5000);
}
