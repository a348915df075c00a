import "./desk.css";
import { painted } from "./painted";

// The server wrote the queue and the case, and htmx answers clicks on them: they are shown before anything else runs.
// On a phone one part is in view, and which one must follow a finger from the first moment on.
const desk = document.querySelector(".desk") as HTMLElement;
desk.addEventListener("click", (event) => {
  const target = event.target as Element;
  const part = target.closest<HTMLElement>(".desk-switch [data-part]")?.dataset.part;
  if (part) desk.dataset.show = part;
  else if (target.closest(".queue-row") && !event.ctrlKey && !event.metaKey) desk.dataset.show = "case";
});
void painted().then(() => import("./deskisland"));
