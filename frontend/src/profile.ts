import { toast } from "./toast";
import { word } from "./words";

const bytes = (text: string): Uint8Array<ArrayBuffer> => {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const button = document.querySelector<HTMLElement>("[data-push]");
button?.addEventListener("click", async () => {
  if (!("serviceWorker" in navigator) || (await Notification.requestPermission()) !== "granted") {
    toast(word("pushDenied"), { bad: true });
    return;
  }
  const worker = await navigator.serviceWorker.register("/push-worker.js");
  const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(button.dataset.pushKey ?? "") });
  const token = (JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") as Record<string, string>)["X-CSRFToken"];
  const answer = await fetch(button.dataset.push ?? "", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
    body: JSON.stringify(subscription),
  });
  if (answer.ok) {
    toast(word("pushOn"));
    setTimeout(() => location.reload(), 1200);
  } else toast(word("failed"), { bad: true });
});
